/** What is asked of one trace, what the answer is, and what parts of the worker give it. */
import type { TaskPhase, TaskStats } from '../../lib/proto/messages.ts';
import type { TraceStores } from '../../lib/trace-store/index.ts';
import type { ResultDisk } from '../cache/result-disk.ts';
import type { ResultMemory } from '../cache/result-memory.ts';
import type { ImageCache } from '../cache/snapshot-cache.ts';
import type { ImageKeeper } from '../cache/snapshot-writer.ts';
import type { Counters } from '../counters.ts';
import type { BarredTraces } from '../engines/barred-traces.ts';
import type { LoadBound } from '../engines/load-watch.ts';
import type { OnResult } from '../engines/slot.ts';
import type { SlotPool } from '../engines/slot-pool.ts';
import type { Admission } from '../scheduling/admission.ts';
import type { Turn } from '../scheduling/turns.ts';
import type { ColumnFound } from './columns.ts';
import type { AnswerLimits } from './limits.ts';
import type { ScriptFacts } from './script.ts';

export interface AnswerParts {
  stores: TraceStores;
  pool: SlotPool;
  results: ResultMemory;
  resultDisk: ResultDisk;
  images: ImageCache;
  keeper: ImageKeeper;
  barred: BarredTraces;
  admission: Admission;
  counters: Counters;
  /** The worker's own bounds. */
  limits: AnswerLimits;
  /** How long a trace of a size may take to load. */
  loadBound: LoadBound;
  /** Names the engine: what another has loaded is of no use to this one. */
  engineIdentity: string;
}

export interface Question {
  /** Address of the trace. */
  trace: string;
  /** Of the trace, as its client has just seen it; empty: it has not. */
  generation: string;
  script: ScriptFacts;
  limits: AnswerLimits;
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

export interface Answer {
  /** Where kinds were wanted. */
  columns: readonly ColumnFound[] | undefined;
  stats: TaskStats;
}

export interface Keys {
  /** Of the trace, its generation, and the engine. */
  key: string;
  /** Of the script's answer on it. */
  resultKey: string;
  /** The trace's size, where it is known. */
  traceBytes: number | undefined;
}
