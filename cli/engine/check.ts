/** Runs the same queries on the sample traces in two engines, and reports the differences. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Engine,
  FIRST_READING,
  ReadAgain,
  type ReadingMode,
  type Snapshot,
  scriptTraits,
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

/** @param onStep called before each trace, with how far the check is */
export function checkEngines(
  one: Engine,
  other: Engine,
  traces: string,
  onStep: (text: string) => void,
): EngineComparison {
  const differences: Difference[] = [];
  let results = 0;
  const files = filesBelow(traces);
  for (const [at, trace] of files.entries()) {
    onStep(`trace ${at + 1} of ${files.length}: ${trace}`);
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
  const loaded = new LoadedTrace(engine, trace);
  return CHECK_QUERIES.map((sql) => {
    const result = loaded.run(Buffer.from(sql));
    return 'error' in result ? `error: ${result.error}` : result.rows.toString('latin1');
  });
}

/** The rows as the engine encodes them, or the error. */
export type EngineResult = { rows: Buffer } | { error: string };

/** A trace in an engine; each script finds it as it was loaded. */
export class LoadedTrace {
  readonly #processor: TraceProcessor;
  readonly #loaded: Snapshot | undefined;
  /** Why the trace does not load; the result of every script then. */
  readonly loadError: string | undefined;

  constructor(engine: Engine, trace: Uint8Array) {
    this.#processor = new TraceProcessor(engine);
    try {
      load(engine, this.#processor, trace);
      this.#loaded = this.#processor.snapshot();
    } catch (thrown) {
      this.loadError = `does not load: ${textOf(thrown)}`;
    }
  }

  run(sql: Uint8Array): EngineResult {
    const loaded = this.#loaded;
    if (loaded === undefined) return { error: this.loadError ?? '' };
    const { mutatesState, readsQueryHistory } = scriptTraits(sql);
    if (readsQueryHistory) this.#processor.restore(loaded);
    const rows: Buffer[] = [];
    try {
      this.#processor.query(sql, (result) => rows.push(Buffer.from(result)));
      return { rows: Buffer.concat(rows) };
    } catch (thrown) {
      return { error: textOf(thrown) };
    } finally {
      if (mutatesState || this.#processor.poisoned !== undefined) this.#processor.restore(loaded);
    }
  }
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
