/** How often workers of the model fail, and in which ways. */
import { Metadata } from '@grpc/grpc-js';
import type { Dice } from '../../lib/common/testing/dice.ts';

/** What happens, as shares of 1: of traces, of attempts, of streams, of polls. */
export interface Habits {
  dice: Dice;
  /** Attempts that take very long. */
  slow: number;
  /** Attempts that fail although another one may not. */
  flaky: number;
  /** Streams that break at some time while their process goes on; or drain. */
  breaks: number;
  drains: number;
  /** Processes that stop answering, or die, per stream. */
  hangs: number;
  dies: number;
  /** Polls that are answered slowly. */
  slowPolls: number;
  /** Streams whose messages are held up for seconds while polls are answered. */
  mutes: number;
  /** The chunks that a trace answers with; undefined: it does not load, anywhere. */
  chunksOf(trace: string): string[] | undefined;
  /** Traces whose load ends at no time by itself: the worker's bound ends it and bars the trace. */
  neverLoads(trace: string): boolean;
}

export const KILLED = Object.assign(new Error('connection reset'), {
  ...{ code: 14, details: 'connection reset', metadata: new Metadata() },
});
