/** Types of benches and their results, and helpers for measuring. */
import { resolve } from 'node:path';

/** The bundle of the benches, which some benches start again as another program. */
export const BENCH_PROGRAM = resolve(process.argv[1] ?? '');

export interface Measure {
  what: string;
  unit: 'x' | 'ms' | 's' | 'MiB' | '1/s';
  /** Bound that the median must meet; without a target the median is only reported. */
  target?: { atLeast: number } | { atMost: number };
  samples: number[];
}

export interface Bench {
  name: string;
  /** Whether `npm run bench` without names leaves it out, because it needs more than Node. */
  onlyByName?: true;
  /** Runs the bench. A quick run has less data and fewer repetitions: it tests the bench, not the speed. */
  run(quick: boolean): Promise<Measure[]>;
  /** Name of its table in docs/PERFORMANCE.md, by default `bench`. */
  table?: string;
  /** Writes the results, with `--save`, in place of rows in a table. */
  save?(): void;
}

export function median(samples: number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

export function quantile(samples: number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export function reached({ target, samples }: Measure): boolean {
  if (target === undefined) return true;
  const value = median(samples);
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

/** Returns the milliseconds that `run` takes. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await run();
  return performance.now() - from;
}

/** Calls `run` several times in sequence and returns its results. */
export async function repeat(
  times: number,
  run: (n: number) => Promise<number>,
): Promise<number[]> {
  const samples: number[] = [];
  for (let n = 0; n < times; n++) samples.push(await run(n));
  return samples;
}
