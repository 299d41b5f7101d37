import { EventEmitter, once } from 'node:events';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Counters } from '../../lib/common/observability/counters.ts';
import { type Engine, FIRST_READING, loadEngine } from '../../lib/engine/index.ts';
import { rowsOf } from '../../lib/query-result/index.ts';
import { CORPUS } from '../../test/corpus/index.ts';
import { COUNTERS } from '../counters.ts';
import { testConfig } from '../testing/worker.ts';
import { EnginePool, type Lease } from './engine-pool.ts';
import { EngineThread } from './engine-thread.ts';
import type { LoadOptions } from './feed.ts';
import { LOAD_BOUND_DEFAULT } from './load-watch.ts';
import { UNACKNOWLEDGED_BYTES_MAX } from './thread-protocol.ts';

const GZIP = 'recorded/linux/gzip-cpu.pftrace';
const COMPILE = 'recorded/linux/compile-c.pftrace';
const SCHED: Record<string, bigint> = { [GZIP]: 2547n, [COMPILE]: 3321n };
const { signal } = new AbortController();

const LOAD: LoadOptions = {
  ...{ memoryBytesMax: 2 ** 32, loadBound: LOAD_BOUND_DEFAULT, traceBytes: undefined },
  reading: { mode: FIRST_READING, unpackedBytesMax: 2 ** 32 },
  onPhase: () => {},
  engineVersion: 'Perfetto v55.3',
};

let engine: Engine;
let pool: EnginePool;

beforeAll(async () => {
  const { engine: files, threadEntry } = await testConfig();
  engine = await loadEngine(files.wasm);
  pool = new EnginePool({
    startEngineThread: (onGrowth) => new EngineThread(engine, threadEntry, onGrowth),
    initialBytes: engine.initial.memoryBytes,
    threads: 1,
    spareEngines: 0,
    memoryBytesMax: 100 * 2 ** 20, // each trace evicts the previous one
    counters: new Counters(COUNTERS),
    snapshotSink: { copyBytes: 0, shouldWrite: () => false, write: async () => {} },
    isShared: () => false,
  });
});
afterAll(() => pool?.close());

async function load({ engine, loaded }: Lease, key: string): Promise<void> {
  const done = await engine.load(key, createReadStream(join(CORPUS, key)), LOAD, signal);
  loaded({ ...done, tier: 'parse' });
}

async function sched({ engine }: Lease, key: string): Promise<unknown> {
  const results: Buffer[] = [];
  const sql = Buffer.from('SELECT count(*) FROM sched');
  const onResult = (result: Buffer): undefined => {
    results.push(result);
  };
  const script = { key, sql, isSummary: false, mutatesState: false, wantsKinds: false };
  await engine.query({ ...script, memoryBytesMax: 2 ** 32, onResult }, signal);
  return rowsOf(results)[0]?.[0];
}

test('an engine that was leased for another trace and did not load it holds neither trace', async () => {
  const first = pool.fresh(GZIP);
  await load(first, GZIP);
  expect(await sched(first, GZIP)).toBe(SCHED[GZIP]);
  await first.release();
  const second = pool.fresh(COMPILE);
  expect(second.engine).toBe(first.engine);
  await second.release(); // its client disconnected before the first byte
  expect(await pool.look(COMPILE, {}, signal)).toBe('none');
  expect(await pool.look(GZIP, {}, signal)).toBe('none');
});

test('an engine returns neither rows nor a snapshot of another trace', async () => {
  const lease = pool.fresh(COMPILE);
  await load(lease, COMPILE);
  await expect(sched(lease, GZIP)).rejects.toThrow(
    'an engine that holds another trace cannot run a query',
  );
  await expect(lease.engine.snapshot(GZIP)).rejects.toThrow('does not hold the trace');
  expect(await sched(lease, COMPILE)).toBe(SCHED[COMPILE]);
});

test('an engine gets another trace after the snapshot of the one that was evicted was written', async () => {
  const { threadEntry } = await testConfig();
  const written: string[] = [];
  const kept = new EnginePool({
    startEngineThread: (onGrowth) => new EngineThread(engine, threadEntry, onGrowth),
    initialBytes: engine.initial.memoryBytes,
    threads: 1,
    spareEngines: 0,
    memoryBytesMax: 2 ** 30,
    counters: new Counters(COUNTERS),
    snapshotSink: {
      copyBytes: 0,
      shouldWrite: (key) => !written.includes(key),
      write: async (key, lease) => {
        written.push(key);
        await lease.release();
      },
    },
    isShared: () => false,
  });
  try {
    const first = kept.fresh(GZIP);
    await load(first, GZIP);
    await first.release();
    const second = kept.fresh(COMPILE);
    expect(written).toEqual([GZIP]);
    expect(second.engine).not.toBe(first.engine);
    const third = kept.fresh(COMPILE);
    expect(third.engine).toBe(first.engine);
    expect(kept.gauges()).toMatchObject({ engines: 2, engines_busy: 2 });
    await load(third, COMPILE);
    expect(await sched(third, COMPILE)).toBe(SCHED[COMPILE]);
  } finally {
    await kept.close();
  }
});

test('an idle worker keeps spare engines in at most half of its memory', async () => {
  const { threadEntry } = await testConfig();
  const counters = new Counters(COUNTERS);
  const snapshotSink = { copyBytes: 0, shouldWrite: () => false, write: async () => {} };
  const memoryBytesMax = 5 * (engine.initial.memoryBytes + 16 * 2 ** 20);
  const startEngineThread = (onGrowth: () => void): EngineThread =>
    new EngineThread(engine, threadEntry, onGrowth);
  const initialBytes = engine.initial.memoryBytes;
  const options = {
    startEngineThread,
    initialBytes,
    memoryBytesMax,
    threads: 1,
    spareEngines: 4,
    counters,
    snapshotSink,
    isShared: () => false,
  };
  const warm = new EnginePool(options);
  try {
    warm.warm(1);
    expect(warm.gauges()).toMatchObject({ engines: 1, engines_busy: 0 });
    await expect.poll(() => warm.gauges()['engines']).toBe(3);
    const lease = warm.fresh(GZIP);
    await load(lease, GZIP);
    await lease.release();
    expect(warm.gauges()).toMatchObject({ engines: 3, engines_busy: 0, loaded_traces: 1 });
    warm.warm(9); // there is no memory for so many
    const { engines = 0, loaded_bytes: bytes = 0 } = warm.gauges();
    expect([engines > 3, bytes <= memoryBytesMax]).toEqual([true, true]);
  } finally {
    await warm.close();
  }
  warm.warm(1);
  expect(warm.gauges()).toMatchObject({ engines: 0 });
});

test('the time of a script does not contain that in which its reader is slow', async () => {
  const heldMs = 500;
  const thread = new EngineThread(engine, (await testConfig()).threadEntry, () => {});
  try {
    await thread.load(GZIP, createReadStream(join(CORPUS, GZIP)), LOAD, signal);
    let bytes = 0;
    const release = new EventEmitter();
    // From the chunk on that exceeds the bound, the engine waits; the reader takes all chunks half a second later.
    const onResult = (result: Buffer): Promise<void> => {
      const taken = once(release, 'taken').then(() => undefined);
      const before = bytes;
      bytes += result.byteLength;
      if (bytes > UNACKNOWLEDGED_BYTES_MAX) {
        if (before > UNACKNOWLEDGED_BYTES_MAX) return Promise.resolve();
        setTimeout(() => release.emit('taken'), heldMs);
      }
      return taken;
    };
    release.setMaxListeners(0);
    const sql = Buffer.from('SELECT hex(zeroblob(2000)) AS x FROM sched');
    const script = { key: GZIP, sql, isSummary: false, mutatesState: false, wantsKinds: false };
    const from = performance.now();
    const { queryMs } = await thread.query(
      { ...script, memoryBytesMax: 2 ** 32, onResult },
      signal,
    );
    expect(bytes).toBeGreaterThan(UNACKNOWLEDGED_BYTES_MAX);
    expect(queryMs).toBeGreaterThan(0);
    expect(queryMs).toBeLessThan(performance.now() - from - heldMs / 2);
  } finally {
    await thread.kill('the test has ended');
  }
});
