/** What to do with a trace that failed: a pure rule of what failed and what was tried before. */
import { BigtraceError } from '../../lib/common/errors.ts';

/** A trace is begun at most this many times. */
export const ATTEMPTS_MAX = 3;

/** An engine that dies twice on the same trace would do so for ever. */
const CRASHES_MAX = 2;

export interface Attempts {
  /** Including the one that just failed. */
  attempts: number;
  /** Of those, ended by engine_crashed, including the one that just failed. */
  crashes: number;
  /** Whether there is a worker it was not tried on. */
  othersLeft: boolean;
}

export type RetryDecision =
  /** Again, on a worker it was not tried on. */
  | { next: 'elsewhere' }
  /** Again, on any worker: all were tried, but it was not the trace's failure. */
  | { next: 'anywhere' }
  | { next: 'fail'; error: BigtraceError };

/**
 * Whether a worker's loss counts as an attempt. A worker that the stream did not reach has not tried the
 * trace: many that went away at once, and are not known to be gone yet, must not use its attempts up.
 */
export function wasAttempt(reached: boolean, othersLeft: boolean): boolean {
  return reached || !othersLeft;
}

export function retryDecision(error: BigtraceError, tried: Attempts): RetryDecision {
  const { attempts, crashes, othersLeft } = tried;
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
