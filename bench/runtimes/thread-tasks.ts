/** Tasks of the bench `runtimes` with engine threads, as a worker has them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../lib/common/root.ts';
import { type Engine, FIRST_READING } from '../../lib/engine/index.ts';
import { EngineThread } from '../../worker/engines/engine-thread.ts';
import { COUNT, type RuntimeTimes } from './times.ts';

const ENDLESS =
  'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';
const CANCELS = 30;
const THREADS = 4;
const MEMORY = { memoryBytesMax: 2 ** 32 };

function startThread(engine: Engine): EngineThread {
  const threadEntry = pathToFileURL(join(ROOT, 'dist/worker-thread.cjs'));
  return new EngineThread(engine, threadEntry, () => {});
}

function never(): AbortSignal {
  return new AbortController().signal;
}

function query(thread: EngineThread, sql: string, signal = never()): Promise<unknown> {
  return thread.query(
    {
      ...{ ...MEMORY, key: 'trace', sql: Buffer.from(sql) },
      ...{ isSummary: false, mutatesState: false, wantsKinds: false },
      onResult: () => undefined,
    },
    signal,
  );
}

async function loadIn(thread: EngineThread, bytes: Buffer): Promise<void> {
  const chunks = (async function* () {
    yield Uint8Array.from(bytes);
  })();
  await thread.load(
    'trace',
    chunks,
    {
      ...{ ...MEMORY, traceBytes: bytes.length, engineVersion: '' },
      loadBound: { minMs: 600_000, bytesPerSecond: 2 ** 20 },
      reading: { mode: FIRST_READING, unpackedBytesMax: 2 ** 32 },
      onPhase: () => {},
    },
    never(),
  );
}

/** Returns the times from the cancellation of a script until its thread is free or has ended. */
export async function cancelTimes(engine: Engine, file: string): Promise<RuntimeTimes> {
  const thread = startThread(engine);
  const cancelMs: number[] = [];
  for (let n = 0; n < CANCELS; n++) {
    await loadIn(thread, readFileSync(file));
    const abort = new AbortController();
    const ended = query(thread, ENDLESS, abort.signal).catch(() => performance.now());
    await new Promise((resolve) => setTimeout(resolve, 20 + 5 * n));
    const from = performance.now();
    abort.abort(new Error('enough'));
    cancelMs.push(Number(await ended) - from);
  }
  await thread.kill('the bench ends');
  return { cancelMs };
}

/** Measures the memory of the process when each thread has had a script on the same trace. */
export async function sharedMemory(engine: Engine, file: string): Promise<RuntimeTimes> {
  const threads = Array.from({ length: THREADS }, () => startThread(engine));
  const [first, ...others] = threads as [EngineThread, ...EngineThread[]];
  await loadIn(first, readFileSync(file));
  first.wantShared();
  await query(first, COUNT);
  for (const thread of others) {
    if (engine.code.runtime === 'native')
      await thread.restore('trace', undefined, MEMORY.memoryBytesMax, never());
    else await loadIn(thread, readFileSync(file));
    await query(thread, COUNT);
  }
  const rollup = readFileSync('/proc/self/smaps_rollup', 'latin1');
  const pssMiB = Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1]) / 1024;
  await Promise.all(threads.map((thread) => thread.kill('the bench ends')));
  return { pssMiB };
}
