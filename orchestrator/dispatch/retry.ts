/** Decides whether a failed task is retried, from its error and its earlier attempts; pure. */
import { BigtraceError } from '../../lib/common/errors.ts';

/** Maximum number of attempts for one task. */
const ATTEMPTS_MAX = 3;

/** Maximum number of engine crashes for one task: a trace that crashed two engines would crash every engine. */
const CRASHES_MAX = 2;

export interface Attempts {
  /** Number of attempts, including the one that just failed. */
  attempts: number;
  /** Number of these attempts that ended with engine_crashed, including the one that just failed. */
  crashes: number;
  /** Whether there is a usable worker on which the task has not failed. */
  othersLeft: boolean;
}

export type RetryDecision =
  /** Retry on a worker on which the task has not failed. */
  | { next: 'elsewhere' }
  /** Retry on any worker: the task failed on all of them, but for a reason outside the trace. */
  | { next: 'anywhere' }
  | { next: 'fail'; error: BigtraceError };

/** The time for which a task, or a call, has been assigned to workers that it did not reach. */
export class Unreached {
  /** When it began, in ms of performance.now(). */
  #since: number | undefined;

  /**
   * Returns whether the loss of a worker counts as an attempt. A worker that the stream did not reach, or that refused it
   * because it drains, has not tried the task: otherwise workers that vanish while others start would use its attempts up.
   * @param msMax time after which such a loss counts nevertheless, if the task has failed on all workers
   */
  wasAttempt(reached: boolean, othersLeft: boolean, msMax: number): boolean {
    const now = performance.now();
    if (reached) this.#since = undefined;
    else this.#since ??= now;
    return this.#since === undefined || (!othersLeft && now - this.#since >= msMax);
  }
}

export function retryDecision(error: BigtraceError, history: Attempts): RetryDecision {
  const { attempts, crashes, othersLeft } = history;
  // Another worker may allow an engine more memory.
  if (error.neededBytes !== undefined && othersLeft && attempts < ATTEMPTS_MAX)
    return { next: 'elsewhere' };
  if (!error.retryable) return { next: 'fail', error };
  const crashed = error.code === 'engine_crashed';
  const exhausted =
    attempts >= ATTEMPTS_MAX || (crashed && (crashes >= CRASHES_MAX || !othersLeft));
  if (exhausted)
    return { next: 'fail', error: attempts > 1 ? afterAttempts(error, attempts) : error };
  return { next: othersLeft ? 'elsewhere' : 'anywhere' };
}

function afterAttempts(error: BigtraceError, attempts: number): BigtraceError {
  return new BigtraceError(error.code, `${error.detail} (tried ${attempts} times)`, {
    ...(error.trace === undefined ? {} : { trace: error.trace }),
    cause: error.cause,
  });
}
