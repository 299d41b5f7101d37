/** Defines what a task consists of, what it results in, and the parts of the worker that execute it. */
import type { WideEngine } from '../../lib/engine/index.ts';
import type { TaskPhase, TaskStats } from '../../lib/proto/messages.ts';
import type { TraceStores } from '../../lib/trace-store/index.ts';
import type { ResultDiskCache } from '../cache/result-disk.ts';
import type { ResultMemoryCache } from '../cache/result-memory.ts';
import type { SnapshotCache } from '../cache/snapshot-cache.ts';
import type { SnapshotWriter } from '../cache/snapshot-writer.ts';
import type { Tier, WorkerCounters } from '../counters.ts';
import type { BarredTraces } from '../engines/barred-traces.ts';
import type { EnginePool } from '../engines/engine-pool.ts';
import type { OnResult } from '../engines/engine-thread.ts';
import type { ExpectedMemory } from '../engines/expected-memory.ts';
import type { LoadBound } from '../engines/load-watch.ts';
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
  snapshots: SnapshotCache;
  snapshotWriter: SnapshotWriter;
  barred: BarredTraces;
  admission: Admission;
  counters: WorkerCounters;
  /** The worker's own limits, which are the maxima of a task's limits. */
  limits: TaskLimits;
  /** Time limit for loading a trace, by its size. */
  loadBound: LoadBound;
  /** The engine with 64-bit memory, if there is one. */
  wide: WideEngine | undefined;
  /** The memory that traces took when they were loaded. */
  expectedMemory: ExpectedMemory;
  /** The name that scripts choose the engine by. */
  engineName: string;
  /** The version that TraceProcessor reports. */
  engineVersion: string;
  /** Engine version. Snapshots, results and bars of other versions are not used. */
  engineIdentity: string;
}

export interface TaskRequest {
  /** Address of the trace. */
  trace: string;
  /** Generation of the trace in the client's recent listing; '' if the client knows none. */
  generation: string;
  /** Whether a worker was lost with the trace, so that a large one must have all of the memory. */
  alone: boolean;
  script: ScriptFacts;
  limits: TaskLimits;
  /** Whether the columns and their types are requested, instead of rows. */
  wantsKinds: boolean;
  turn: Turn;
  /**
   * Called once, when the task leases an engine or a cached result is used, with the milliseconds that it
   * waited for threads.
   */
  onBegin(waitedMs: number): void;
  onPhase(phase: TaskPhase): void;
  onResult: OnResult;
  /** Back-pressure of the client, if it has any: a task begins only while the outlet is not full. */
  outlet?: Outlet;
}

export interface Outlet {
  readonly full: boolean;
  /** Resolves when the outlet is not full. @throws the signal's reason */
  room(signal: AbortSignal): Promise<void>;
}

export interface TaskResult {
  /** Undefined unless `wantsKinds`. */
  columns: readonly ResultColumn[] | undefined;
  stats: TaskStats & { tier: Tier };
}

export interface CacheKeys {
  /** Key of the trace, its generation and the engine version. */
  key: string;
  /** Key of the script's result on it. */
  resultKey: string;
  /** Size of the trace in bytes, if its store reported it. */
  traceBytes: number | undefined;
}
