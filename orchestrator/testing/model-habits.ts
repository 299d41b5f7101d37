/** The kinds of faults of modelled workers and how often they occur. */
import { Metadata } from '@grpc/grpc-js';
import type { Dice } from '../../lib/common/testing/dice.ts';

/** Fault probabilities, from 0 to 1, each per trace, attempt, stream or poll. */
export interface Habits {
  dice: Dice;
  /** Share of attempts that take very long. */
  slow: number;
  /** Share of attempts that fail although a retry may succeed. */
  flaky: number;
  /** Share of streams that break while their process continues (`breaks`), and of those whose worker drains. */
  breaks: number;
  drains: number;
  /** Share of streams during which the process stops responding (`hangs`) or dies. */
  hangs: number;
  dies: number;
  /** Share of polls with a slow response. */
  slowPolls: number;
  /** Share of streams whose messages are delayed for seconds while polls get responses. */
  mutes: number;
  /** Share of attempts with another result than `chunksOf`, because the trace has changed (see `variantsOf`). */
  changes: number;
  /** Returns the result chunks of a trace; undefined when it fails to load on every worker. */
  chunksOf(trace: string): string[] | undefined;
  /** Whether the load of a trace never ends by itself; then the worker's time limit ends it and bars the trace. */
  neverLoads(trace: string): boolean;
}

export const KILLED = Object.assign(new Error('connection reset'), {
  ...{ code: 14, details: 'connection reset', metadata: new Metadata() },
});

/**
 * Returns the results that attempts may have: the given chunks, chunks of the same lengths with other bytes, and the
 * first chunk alone.
 */
export function variantsOf(chunks: readonly string[]): string[][] {
  const other = chunks.map((chunk) => chunk.replace(' of ', ' OF '));
  return [[...chunks], other, ...(chunks.length > 1 ? [chunks.slice(0, 1)] : [])];
}
