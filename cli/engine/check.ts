/** Runs the same queries on the sample traces in two engines, and reports the differences. */
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
import { CHECK_QUERIES } from './check-queries.ts';

export interface Difference {
  trace: string;
  sql: string;
  one: string;
  other: string;
}

export interface EngineComparison {
  /** Number of results that were compared. */
  results: number;
  differences: Difference[];
}

/** Rows are compared as the engines encode them; of a result that differs, this many characters are shown. */
const SHOWN_CHARS = 200;
const UNPACKED_BYTES_MAX = 2 ** 32;

export function checkEngines(one: Engine, other: Engine, traces: string): EngineComparison {
  const differences: Difference[] = [];
  let results = 0;
  for (const trace of filesBelow(traces)) {
    const bytes = readFileSync(join(traces, trace));
    const [first, second] = [one, other].map((engine) => textsOf(engine, bytes)) as [
      string[],
      string[],
    ];
    for (const [at, sql] of CHECK_QUERIES.entries()) {
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

/** Returns the encoded rows, or the error, as text for each query. */
function textsOf(engine: Engine, trace: Uint8Array): string[] {
  return engineResults(
    engine,
    trace,
    CHECK_QUERIES.map((sql) => Buffer.from(sql)),
  ).map((result) =>
    'error' in result ? `error: ${result.error}` : result.rows.toString('latin1'),
  );
}

/** The rows as the engine encodes them, or the error. */
export type EngineResult = { rows: Buffer } | { error: string };

/** Runs each query on the trace as it was loaded. */
export function engineResults(
  engine: Engine,
  trace: Uint8Array,
  queries: readonly Uint8Array[],
): EngineResult[] {
  const processor = new TraceProcessor(engine);
  try {
    load(engine, processor, trace);
  } catch (thrown) {
    return queries.map(() => ({ error: `does not load: ${textOf(thrown)}` }));
  }
  const loaded = processor.snapshot();
  return queries.map((sql) => {
    const rows: Buffer[] = [];
    try {
      processor.query(sql, (result) => rows.push(Buffer.from(result)));
      return { rows: Buffer.concat(rows) };
    } catch (thrown) {
      return { error: textOf(thrown) };
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
