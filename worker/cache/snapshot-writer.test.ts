import { randomFillSync } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Counters } from '../../lib/common/observability/counters.ts';
import type { Snapshot } from '../../lib/engine/index.ts';
import { COUNTERS } from '../counters.ts';
import type { EnginePool, Lease } from '../engines/engine-pool.ts';
import { tempDir } from '../testing/worker.ts';
import { SnapshotCache } from './snapshot-cache.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

const PAGE_BYTES = 4096;
const COST_MS = 1000;
const MIB = 2 ** 20;

function snapshot(): Snapshot {
  const contents = new Uint8Array(new SharedArrayBuffer(PAGE_BYTES)).fill(7);
  return { engine: 'abc', memoryBytes: 2 ** 16, runs: Uint32Array.of(0, 1), contents };
}

test('an idle worker writes each trace once if the snapshots of all do not fit', async () => {
  await using dir = await tempDir();
  const cache = await SnapshotCache.open({
    ...{ directory: dir.path, neighbours: [], bytesMax: PAGE_BYTES },
    ...{ counters: new Counters(COUNTERS), logger: pino({ level: 'silent' }) },
  });
  const happened = new EventEmitter();
  const leased: string[] = [];
  const engine = { memoryBytes: 0, snapshot: async () => snapshot() } as Partial<Lease['engine']>;
  const costliestIdle: EnginePool['costliestIdle'] = (active) => {
    const key = ['a', 'b'].find((each) => active(each, COST_MS));
    if (key !== undefined) leased.push(key);
    if (key === undefined || leased.length > 4) happened.emit('rest');
    const lease: Lease = {
      ...{
        engine: engine as Lease['engine'],
        hasTrace: true,
        hasReserved: () => {},
        loaded: () => {},
      },
      release: async () => {},
    };
    return key === undefined || leased.length > 4 ? undefined : { key, lease };
  };
  const memory = { shareBytes: 1, takeFree: () => undefined };
  const writer = new SnapshotWriter(cache, { idle: true, memory } as never);
  writer.watch({ costliestIdle } as EnginePool);
  writer.schedule('a');
  await once(happened, 'rest');
  expect(leased).toEqual(['a', 'b']);
  writer.schedule('a');
  await once(happened, 'rest');
  expect(leased).toEqual(['a', 'b', 'a']);
  writer.stop();
});

/** A cache with room for two snapshots of 1 MiB that do not compress, and a function that evicts such a trace. */
async function scanned(directory: string) {
  const cache = await SnapshotCache.open({
    ...{ directory, neighbours: [], bytesMax: 2 * MIB + MIB / 2 },
    ...{ counters: new Counters(COUNTERS), logger: pino({ level: 'silent' }) },
  });
  const random = (): Snapshot => ({
    ...{ engine: 'abc', memoryBytes: MIB, runs: Uint32Array.of(0, MIB / PAGE_BYTES) },
    contents: randomFillSync(new Uint8Array(MIB)),
  });
  const memory = { shareBytes: 2 * MIB, takeFree: () => undefined };
  const writer = new SnapshotWriter(cache, { idle: true, memory } as never);
  const engine = { memoryBytes: MIB, snapshot: async () => random() } as Partial<Lease['engine']>;
  return {
    cache,
    ask: (key: string): void => {
      writer.asked(key);
      writer.schedule(key);
    },
    evict: async (key: string): Promise<boolean> => {
      const isWritten = writer.shouldWrite(key, COST_MS, MIB);
      await writer.write(key, { engine: engine as Lease['engine'], release: async () => {} });
      expect(cache.wants(key)).toBe(!isWritten); // `write` alone replaces no other, either
      return isWritten;
    },
  };
}

test('the snapshot of an evicted trace that was asked for once replaces no other', async () => {
  await using dir = await tempDir();
  const { cache, ask, evict } = await scanned(dir.path);
  for (const key of ['a', 'b', 'c']) ask(key);
  expect(await evict('a')).toBe(true);
  expect(await evict('b')).toBe(false);
  expect(await evict('c')).toBe(false);
  expect(cache.size).toBe(1);
  ask('b'); // in a later residence
  expect(await evict('b')).toBe(true);
  expect(cache.size).toBe(2);
  ask('c');
  expect(await evict('c')).toBe(true);
  expect([cache.size, cache.wants('a')]).toEqual([2, true]);
});

test('the worker forgets that a trace was asked for after ten thousand others', async () => {
  await using dir = await tempDir();
  const { ask, evict } = await scanned(dir.path);
  for (const key of ['c', 'a', 'b']) ask(key);
  expect(await evict('a')).toBe(true);
  for (let n = 0; n < 9_998; n++) ask(`other ${n}`);
  ask('b');
  ask('c');
  expect([await evict('b'), await evict('c')]).toEqual([true, false]);
});
