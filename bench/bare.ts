/**
 * Measures the bare engine for comparison: a separate process loads each file into TraceProcessor and runs a script.
 * `node bench.js bare SQL REPEATS WARM FILE…` prints the times as JSON; the first WARM files are not timed.
 */
import { execFile } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../lib/common/root.ts';
import { loadEngine, TraceProcessor } from '../lib/engine/index.ts';
import { BENCH_PROGRAM } from './bench.ts';
import { plainEngine } from './plain-engine.ts';

export const BARE = 'bare';

const CHUNK_BYTES = 2 ** 20;

export interface BareTimes {
  /** Milliseconds from reading the first timed trace to the end of the last script. */
  wholeMs: number;
  /** Milliseconds of each repetition of the script on the last trace. */
  queryMs: number[];
}

/** The main function of the child process. */
export async function bareMain([
  sql = '',
  repeats = '1',
  warm = '0',
  ...files
]: string[]): Promise<void> {
  const engine = await loadEngine(join(ROOT, 'vendor/trace-processor/trace_processor.wasm'));
  const processor = new TraceProcessor(plainEngine(engine));
  const script = Buffer.from(sql);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let from = performance.now();
  for (const [at, file] of files.entries()) {
    if (at === Number(warm)) from = performance.now();
    processor.reset();
    load(processor, file, chunk);
    processor.query(script, () => {});
  }
  const wholeMs = performance.now() - from;
  const queryMs = Array.from({ length: Number(repeats) }, () => {
    const queryFrom = performance.now();
    processor.query(script, () => {});
    return performance.now() - queryFrom;
  });
  console.log(JSON.stringify({ wholeMs, queryMs } satisfies BareTimes));
}

function load(processor: TraceProcessor, file: string, chunk: Buffer): void {
  const fd = openSync(file, 'r');
  for (let bytes = readSync(fd, chunk); bytes > 0; bytes = readSync(fd, chunk))
    processor.append(chunk.subarray(0, bytes));
  closeSync(fd);
  processor.finalize();
}

/** @param warm number of the first files, which make the engine hot and are not timed */
export async function bare(
  sql: string,
  files: string[],
  { repeats = 0, warm = 0 } = {},
): Promise<BareTimes> {
  const args = [BENCH_PROGRAM, BARE, sql, String(repeats), String(warm), ...files];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as BareTimes;
}

/**
 * Runs one bare engine per core, each with a share of the files, and returns the milliseconds of the slowest.
 * @param warm as in `bare`, for each core
 */
export async function bareOnCores(
  cores: number,
  sql: string,
  files: string[],
  warm = 0,
): Promise<number> {
  const shares = Array.from({ length: cores }, (_, core) =>
    files.filter((_file, at) => at % cores === core),
  );
  const times = await Promise.all(shares.map((share) => bare(sql, share, { warm })));
  return Math.max(...times.map(({ wholeMs }) => wholeMs));
}
