/** Asks two engines the same questions about the sample traces, and names the differences. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Engine,
  FIRST_READING,
  ReadAgain,
  type ReadingMode,
  TraceProcessor,
  TraceReading,
} from '../../lib/engine/index.ts';
import { QUESTIONS } from './questions.ts';

export interface Difference {
  trace: string;
  sql: string;
  one: string;
  other: string;
}

export interface Checked {
  /** Number of answers that were compared. */
  results: number;
  differences: Difference[];
}

/** Rows are compared as the engines encode them; of an answer that differs, so many characters are shown. */
const SHOWN_CHARS = 200;
const UNPACKED_BYTES_MAX = 2 ** 32;

export function checkEngines(one: Engine, other: Engine, traces: string): Checked {
  const differences: Difference[] = [];
  let results = 0;
  for (const trace of filesBelow(traces)) {
    const bytes = readFileSync(join(traces, trace));
    const [first, second] = [resultsOf(one, bytes), resultsOf(other, bytes)];
    for (const [at, sql] of QUESTIONS.entries()) {
      const [left = '', right = ''] = [first[at], second[at]];
      results++;
      if (left !== right) differences.push({ trace, sql, one: shown(left), other: shown(right) });
    }
  }
  return { results, differences };
}

function filesBelow(directory: string, below = ''): string[] {
  return readdirSync(join(directory, below))
    .toSorted()
    .flatMap((name) => {
      const path = join(below, name);
      return statSync(join(directory, path)).isDirectory() ? filesBelow(directory, path) : [path];
    });
}

/** Returns the encoded rows, or the error, for each question. */
function resultsOf(engine: Engine, trace: Uint8Array): string[] {
  const processor = new TraceProcessor(engine);
  try {
    load(engine, processor, trace);
  } catch (thrown) {
    return QUESTIONS.map(() => `does not load: ${textOf(thrown)}`);
  }
  const loaded = processor.snapshot();
  return QUESTIONS.map((sql) => {
    const rows: Buffer[] = [];
    try {
      processor.query(Buffer.from(sql), (result) => rows.push(Buffer.from(result)));
      return Buffer.concat(rows).toString('latin1');
    } catch (thrown) {
      return `error: ${textOf(thrown)}`;
    } finally {
      processor.restore(loaded);
    }
  });
}

function load(engine: Engine, processor: TraceProcessor, trace: Uint8Array): void {
  for (let mode: ReadingMode = FIRST_READING; ; ) {
    processor.reset();
    const options = { mode, unpackedBytesMax: UNPACKED_BYTES_MAX };
    const reading = new TraceReading(engine, options, processor);
    try {
      reading.push(trace);
      reading.end();
      return;
    } catch (thrown) {
      if (!(thrown instanceof ReadAgain)) throw thrown;
      mode = thrown.mode;
    }
  }
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function shown(result: string): string {
  return JSON.stringify(result.slice(0, SHOWN_CHARS));
}
