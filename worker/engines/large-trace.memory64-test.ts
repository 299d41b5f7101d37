/**
 * A trace that needs more than 4 GiB, loaded by a worker whose engine has 64-bit memory. It takes minutes and about 8 GiB
 * of memory; it prints what it took.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { engineFilesIn } from '../../lib/engine/engine-choice.ts';
import { rowsOf } from '../../lib/query-result/index.ts';
import { largeTrace, largeTraceOf } from '../../test/corpus/large-trace.ts';
import { fetchEngineV52 } from '../../tools/test-run/engine-v52.mjs';
import { LIMIT_DEFAULTS } from '../config.ts';
import {
  counter,
  gauge,
  runScript,
  type TestWorker,
  tempDir,
  testWorker,
} from '../testing/worker.ts';

const GIB = 2 ** 30;
const TRACE_BYTES = 1.5e9;
const COUNTS = `SELECT (SELECT count(*) FROM slice), (SELECT sum(dur) FROM slice), (SELECT count(*) FROM sched)`;

/** Queries a small trace as another user, and measures how long that takes. */
class SmallQueries {
  readonly #worker: TestWorker;
  readonly #times: { ms: number; atMs: number; tier: string }[] = [];
  readonly #began = performance.now();
  readonly #delay = monitorEventLoopDelay();

  constructor(worker: TestWorker) {
    this.#worker = worker;
    this.#delay.enable();
  }

  async one(): Promise<void> {
    const from = performance.now();
    const sql = `SELECT dur, ${from} FROM slice`;
    const [value, tier] = await runScript(this.#worker, '/local/small.json', sql, 'other');
    expect(value).toBe(5000n);
    const ms = performance.now() - from;
    this.#times.push({ ms, atMs: from - this.#began, tier });
  }

  told(): string {
    const sorted = this.#times.toSorted((one, other) => one.ms - other.ms);
    const median = sorted[sorted.length >> 1]?.ms.toFixed(0);
    const slowest = sorted
      .slice(-3)
      .map(
        ({ ms, atMs, tier }) => `${ms.toFixed(0)} ms after ${(atMs / 1000).toFixed(0)} s (${tier})`,
      );
    const blocked = (this.#delay.max / 1e6).toFixed(0);
    return `${sorted.length} small queries: median ${median} ms, slowest ${slowest.join(', ')}; the main thread was blocked for ${blocked} ms at most`;
  }
}

test('a trace of 1.5 GB is loaded into 64-bit memory and restored from its snapshot, with exact counts', async () => {
  await using directory = await tempDir();
  const trace = largeTraceOf(TRACE_BYTES);
  const file = openSync(join(directory.path, 'large.pftrace'), 'w');
  for (const piece of largeTrace(trace)) writeSync(file, piece);
  closeSync(file);
  const small = openSync(join(directory.path, 'small.json'), 'w');
  writeSync(small, '[{"ph":"X","ts":1,"dur":5,"pid":1,"tid":1,"name":"a"}]');
  closeSync(small);
  const config = {
    stores: { localRoot: directory.path },
    engine: engineFilesIn(await fetchEngineV52()),
    memoryBytesMax: 14 * GIB,
    limits: { ...LIMIT_DEFAULTS, traceTimeoutMs: 3_600_000, memoryBytesMax: 14 * GIB },
    cacheDir: join(directory.path, 'cache'),
    cacheBytesMax: 14 * GIB,
    logLevel: 'warn' as const,
  };
  const worker = await testWorker(config);
  const began = performance.now();
  let ended = false;
  const large = worker.client.runScript('/local/large.pftrace', COUNTS).finally(() => {
    ended = true;
  });
  const beside = new SmallQueries(worker);
  while (!ended) {
    await beside.one();
    await Promise.race([
      large.catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, 1000)),
    ]);
  }
  const end = await large;
  const seconds = (performance.now() - began) / 1000;
  const gib = (await gauge(worker, 'loaded_bytes')) / GIB;
  process.stdout.write(
    `${trace.bytes} bytes in ${seconds.toFixed(0)} s, ${gib.toFixed(2)} GiB resident; beside it ${beside.told()}\n`,
  );
  expect(end?.end.failure ?? undefined).toBeUndefined();
  expect(rowsOf(end?.results ?? [])).toEqual([
    [BigInt(trace.slices), BigInt(trace.slices * trace.sliceNs), BigInt(trace.switches)],
  ]);
  expect(gib).toBeGreaterThan(4);
  const besideSnapshot = new SmallQueries(worker);
  while ((await counter(worker, 'snapshots_written')) < 1) {
    await besideSnapshot.one();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  process.stdout.write(`while the snapshot is written ${besideSnapshot.told()}\n`);
  // A script that changes the engine's state does not cost the trace.
  const created = 'CREATE PERFETTO TABLE t AS SELECT 7 AS x; SELECT x FROM t';
  expect(await runScript(worker, '/local/large.pftrace', created)).toEqual([7n, 'loaded']);
  const again = `${COUNTS} -- again`;
  expect(await runScript(worker, '/local/large.pftrace', again)).toEqual([
    BigInt(trace.slices),
    'loaded',
  ]);
  await worker[Symbol.asyncDispose]();
  await using restarted = await testWorker(config);
  const from = performance.now();
  const restored = await restarted.client.runScript('/local/large.pftrace', COUNTS);
  process.stdout.write(`restored in ${((performance.now() - from) / 1000).toFixed(0)} s\n`);
  expect(restored?.end.rows?.stats?.tier).toBe('snapshot');
  expect(rowsOf(restored?.results ?? [])).toEqual(rowsOf(end?.results ?? []));
});
