/** Tasks of the bench `runtimes` with instances on the main thread. */
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, encodeSnapshot, TraceProcessor } from '../../lib/engine/index.ts';
import { median } from '../bench.ts';
import { COUNT, type RuntimeTimes, timedCpu } from './times.ts';

const SCAN = Buffer.from('SELECT sum(dur), count(DISTINCT name), max(length(category)) FROM slice');
const PIECE_BYTES = 2 ** 20;
/** V8 has optimized its code after some loads. */
const WARM_LOADS = 6;
const MEASURED = 5;

function load(processor: TraceProcessor, trace: Buffer): void {
  for (let at = 0; at < trace.length; at += PIECE_BYTES)
    processor.append(trace.subarray(at, at + PIECE_BYTES));
  processor.finalize();
}

function loadAndCount(processor: TraceProcessor, trace: Buffer): void {
  processor.reset();
  load(processor, trace);
  processor.query(Buffer.from(COUNT), () => {});
}

export function traceTimes(engine: Engine, files: string[], hot: boolean): RuntimeTimes {
  const processor = new TraceProcessor(engine);
  const traces = files.map((file) => readFileSync(file));
  const loads = hot ? WARM_LOADS + MEASURED : 1;
  const parse: number[] = [];
  for (let n = 0; n < loads; n++)
    for (const trace of traces) {
      processor.reset();
      parse.push(timedCpu(() => load(processor, trace)));
      processor.query(Buffer.from(COUNT), () => {});
    }
  const scan = Array.from({ length: hot ? 20 : 1 }, () =>
    timedCpu(() => processor.query(SCAN, () => {})),
  );
  return { parseMs: median(parse.slice(-MEASURED)), queryMs: median(scan.slice(-MEASURED)) };
}

/** Loads the first trace until V8 has optimized its code, and measures loading all of them. */
export function bareCpu(engine: Engine, files: string[]): RuntimeTimes {
  const processor = new TraceProcessor(engine);
  const warm = readFileSync(files[0] ?? '');
  for (let n = 0; n < 2 * WARM_LOADS; n++) loadAndCount(processor, warm);
  const wholeMs = timedCpu(() => {
    for (const file of files) loadAndCount(processor, readFileSync(file));
  });
  return { wholeMs };
}

/** Brings a trace that was loaded before into an instance, with the first query on it. */
export async function restoreTimes(engine: Engine, trace: string): Promise<RuntimeTimes> {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-bench-'));
  const path = join(directory, 'snapshot');
  const holder = new TraceProcessor(engine);
  loadAndCount(holder, readFileSync(trace));
  await writeFile(path, encodeSnapshot(holder.snapshot()));
  const processor = new TraceProcessor(engine);
  const again = (restore: () => void): number => {
    const ms = timedCpu(() => {
      restore();
      processor.query(Buffer.from(COUNT), () => {});
    });
    processor.reset();
    return ms;
  };
  const fromFile = Array.from({ length: MEASURED }, (_, n) =>
    again(() => restoreFile(processor, path, `trace ${n}`)),
  );
  restoreFile(holder, path, 'held');
  const mapped = Array.from({ length: MEASURED }, () =>
    again(() => {
      if (!processor.restoreImage('held')) throw new Error('the runtime has no images');
    }),
  );
  rmSync(directory, { recursive: true });
  return { fromFileMs: median(fromFile), mappedMs: median(mapped) };
}

function restoreFile(processor: TraceProcessor, path: string, key: string): void {
  const file = openSync(path, 'r');
  processor.restoreShared((into) => readSync(file, into), key);
  closeSync(file);
}
