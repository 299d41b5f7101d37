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
