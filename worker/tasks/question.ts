/** What is asked of one trace, what the answer is, and what parts of the worker give it. */
import type { TaskPhase, TaskStats } from '../../lib/proto/messages.ts';
import type { TraceStores } from '../../lib/trace-store/index.ts';
import type { ResultDiskCache } from '../cache/result-disk.ts';
import type { ResultMemoryCache } from '../cache/result-memory.ts';
import type { SnapshotCache } from '../cache/snapshot-cache.ts';
import type { SnapshotWriter } from '../cache/snapshot-writer.ts';
import type { Counters } from '../counters.ts';
import type { BarredTraces } from '../engines/barred-traces.ts';
import type { LoadBound } from '../engines/load-watch.ts';
import type { OnResult } from '../engines/slot.ts';
import type { EnginePool } from '../engines/slot-pool.ts';
import type { Admission } from '../scheduling/admission.ts';
import type { Turn } from '../scheduling/turns.ts';
import type { ResultColumn } from './columns.ts';
import type { TaskLimits } from './limits.ts';
import type { ScriptFacts } from './script.ts';

export interface TaskExecutorParts {
  stores: TraceStores;
  pool: EnginePool;
  results: ResultMemoryCache;
  resultDisk: ResultDiskCache;
  images: SnapshotCache;
  keeper: SnapshotWriter;
  barred: BarredTraces;
  admission: Admission;
  counters: Counters;
  /** The worker's own bounds. */
  limits: TaskLimits;
  /** How long a trace of a size may take to load. */
  loadBound: LoadBound;
  /** Names the engine: what another has loaded is of no use to this one. */
  engineIdentity: string;
}

export interface TaskRequest {
  /** Address of the trace. */
  trace: string;
  /** Of the trace, as its client has just seen it; empty: it has not. */
  generation: string;
  script: ScriptFacts;
  limits: TaskLimits;
  /** Whether the kinds of the columns are asked for, and not the rows. */
  wantsKinds: boolean;
  turn: Turn;
  /** Called once, when the trace gets a thread or a remembered answer is used; how long it waited for its turn. */
  onBegin(waitedMs: number): void;
  onPhase(phase: TaskPhase): void;
  onResult: OnResult;
  /** Where results go, if it takes only so many; work begins when there is room. */
  outlet?: Outlet;
}

export interface Outlet {
  readonly full: boolean;
  /** Resolves when it is not full. @throws the signal's reason */
  room(signal: AbortSignal): Promise<void>;
}

export interface TaskResult {
  /** Where kinds were wanted. */
  columns: readonly ResultColumn[] | undefined;
  stats: TaskStats;
}

export interface CacheKeys {
  /** Of the trace, its generation, and the engine. */
  key: string;
  /** Of the script's answer on it. */
  resultKey: string;
  /** The trace's size, where it is known. */
  traceBytes: number | undefined;
}
