/** The worker's own parts that admit, place and execute tasks, in a model world (model.ts). */
import { Counters } from '../../lib/common/observability/counters.ts';
import { createLogger } from '../../lib/common/observability/log.ts';
import { ResultDiskCache } from '../cache/result-disk.ts';
import { ResultMemoryCache } from '../cache/result-memory.ts';
import { SnapshotWriter } from '../cache/snapshot-writer.ts';
import { LIMIT_DEFAULTS } from '../config.ts';
import { COUNTERS } from '../counters.ts';
import { BarredTraces } from '../engines/barred-traces.ts';
import { EnginePool } from '../engines/engine-pool.ts';
import { ExpectedMemory } from '../engines/expected-memory.ts';
import { Admission } from '../scheduling/admission.ts';
import type { TaskExecutorParts } from '../tasks/task-request.ts';
import type { ModelWorld } from './model.ts';

const LOAD_BOUND = { minMs: 5000, bytesPerSecond: 2 ** 20 };
export const MODEL_LIMITS = { ...LIMIT_DEFAULTS, traceTimeoutMs: 30_000, memoryBytesMax: 2 ** 28 };
const logger = createLogger('model', 'silent');

export interface ModelSizes {
  threads: number;
  spareThreads: number;
  memoryBytesMax: number;
}

/** A fault that is put into the worker, to see that its tests find it. */
export type Mutation =
  /** The pool is not told that an engine has grown, so it ends none to make room. */
  'growth is not reported';

export async function modelWorker(
  world: ModelWorld,
  { threads, spareThreads, memoryBytesMax }: ModelSizes,
  mutation?: Mutation,
): Promise<TaskExecutorParts> {
  const stores = world.stores();
  const counters = new Counters(COUNTERS);
  const admission = new Admission({
    ...{ stores, threads, spareThreads, memoryBytesMax, longMs: 1000 },
    hasRoom: () => pool.hasRoom,
  });
  const snapshots = world.snapshots();
  const snapshotWriter = new SnapshotWriter(snapshots, admission);
  const pool = new EnginePool({
    startEngineThread: (onGrowth) =>
      world.engine(mutation === 'growth is not reported' ? () => {} : onGrowth),
    ...{ initialBytes: 20 * 2 ** 20, memoryBytesMax, threads, spareEngines: 0 },
    ...{ counters, snapshotSink: snapshotWriter },
    isShared: (key) => world.sharer(key) !== undefined,
  });
  const onDisk = { directory: undefined, counters, logger };
  const { memoryBytesMax: engineBytesMax } = MODEL_LIMITS;
  return {
    ...{ stores, pool, admission, counters, snapshots, snapshotWriter, limits: MODEL_LIMITS },
    ...{ loadBound: LOAD_BOUND, engineIdentity: 'e', engineVersion: 'v', engineName: 'e' },
    ...{ expectedMemory: new ExpectedMemory(), wide: undefined },
    results: new ResultMemoryCache(0),
    barred: await BarredTraces.open({
      ...{ ...onDisk, loadBound: LOAD_BOUND, memoryBytesMax: engineBytesMax },
    }),
    resultDisk: await ResultDiskCache.open({
      ...{ ...onDisk, neighbours: [], bytesMax: 0, isBusy: () => true },
    }),
  };
}
