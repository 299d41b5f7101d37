/**
 * A process of the bench `runtimes`: does one task with one runtime, and prints its times as JSON.
 * `node bench.js runtime TASK RUNTIME ADDONS FILE…`
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../lib/common/root.ts';
import {
  type Engine,
  FIRST_READING,
  loadEngine,
  type RuntimeChoice,
  TraceProcessor,
} from '../lib/engine/index.ts';
import { EngineThread } from '../worker/engines/engine-thread.ts';
import { median } from './bench.ts';

export const RUNTIME = 'runtime';

/**
 * `first`: loads each trace once and runs a script on it; `hot`: loads one trace until V8 has optimized its code;
 * `cancel`: cancels endless scripts.
 */
export type RuntimeTask = 'first' | 'hot' | 'cancel';

export interface RuntimeTimes {
  /** Processor time of loading the last trace, in milliseconds. */
  parseMs: number;
  /** Processor time of a script that reads all slices. */
  queryMs: number;
  /** Processor time of the process, from its start. */
  processMs: number;
  rssMiB: number;
  cancelMs: number[];
}

const COUNT = Buffer.from('SELECT count(*) FROM slice');
const SCAN = Buffer.from('SELECT sum(dur), count(DISTINCT name), max(length(category)) FROM slice');
const ENDLESS =
  'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';
const PIECE_BYTES = 2 ** 20;
/** V8 has optimized its code after some loads. */
const WARM_LOADS = 6;
const MEASURED = 5;
const CANCELS = 30;

export async function runtimeMain([task, runtime, addons = '', ...files]: string[]): Promise<void> {
  const choice = { runtime, addons } as RuntimeChoice;
  const wasm = join(ROOT, 'vendor/trace-processor/trace_processor.wasm');
  const engine = await loadEngine(wasm, [], choice);
  const cancelMs = task === 'cancel' ? await cancelTimes(engine, files[0] ?? '') : [];
  const [parseMs, queryMs] = task === 'cancel' ? [0, 0] : traceTimes(engine, files, task === 'hot');
  const rssMiB = process.memoryUsage.rss() / 2 ** 20;
  const processMs = cpuMs();
  console.log(
    JSON.stringify({ parseMs, queryMs, processMs, rssMiB, cancelMs } satisfies RuntimeTimes),
  );
  process.exit();
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function timedCpu(work: () => void): number {
  const from = cpuMs();
  work();
  return cpuMs() - from;
}

function traceTimes(engine: Engine, files: string[], hot: boolean): [number, number] {
  const processor = new TraceProcessor(engine);
  const traces = files.map((file) => readFileSync(file));
  const loads = hot ? WARM_LOADS + MEASURED : 1;
  const parse: number[] = [];
  for (let n = 0; n < loads; n++)
    for (const trace of traces) {
      processor.reset();
      parse.push(timedCpu(() => load(processor, trace)));
      processor.query(COUNT, () => {});
    }
  const scan = Array.from({ length: hot ? 20 : 1 }, () =>
    timedCpu(() => processor.query(SCAN, () => {})),
  );
  return [median(parse.slice(-MEASURED)), median(scan.slice(-MEASURED))];
}

function load(processor: TraceProcessor, trace: Buffer): void {
  for (let at = 0; at < trace.length; at += PIECE_BYTES)
    processor.append(trace.subarray(at, at + PIECE_BYTES));
  processor.finalize();
}

/** Returns the times from the cancellation of a script until its thread is free or has ended. */
async function cancelTimes(engine: Engine, file: string): Promise<number[]> {
  const threadEntry = pathToFileURL(join(ROOT, 'dist/worker-thread.js'));
  const thread = new EngineThread(engine, threadEntry, () => {});
  const times: number[] = [];
  for (let n = 0; n < CANCELS; n++) {
    await loadIn(thread, readFileSync(file));
    const abort = new AbortController();
    const call = thread.query(
      {
        ...{ key: 'trace', sql: Buffer.from(ENDLESS), memoryBytesMax: 2 ** 32 },
        ...{ isSummary: false, mutatesState: false, wantsKinds: false },
        onResult: () => undefined,
      },
      abort.signal,
    );
    const ended = call.catch(() => performance.now());
    await new Promise((resolve) => setTimeout(resolve, 20 + 5 * n));
    const from = performance.now();
    abort.abort(new Error('enough'));
    times.push(Number(await ended) - from);
  }
  await thread.kill('the bench ends');
  return times;
}

async function loadIn(thread: EngineThread, bytes: Buffer): Promise<void> {
  const chunks = (async function* () {
    yield Uint8Array.from(bytes);
  })();
  await thread.load(
    'trace',
    chunks,
    {
      ...{ memoryBytesMax: 2 ** 32, traceBytes: bytes.length, engineVersion: '' },
      loadBound: { minMs: 60_000, bytesPerSecond: 2 ** 20 },
      reading: { mode: FIRST_READING, unpackedBytesMax: 2 ** 32 },
      onPhase: () => {},
    },
    new AbortController().signal,
  );
}
