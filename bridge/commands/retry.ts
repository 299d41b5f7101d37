/** Repeats a query whose orchestrator was lost before it returned anything: behind one name there may be others. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BigtraceError } from '../../lib/common/errors.ts';
import { isConnectTimeout } from '../grpc/bridge-client.ts';

/** Pauses before the repetitions: a name may lead to the lost orchestrator for a moment. */
const PAUSES_MS = [0, 200, 500, 1000];

/**
 * Calls `attempt` until it succeeds, or fails otherwise than by the loss of its orchestrator.
 * @param mayRepeat called with the error of a loss @throws the error of the last attempt
 */
export async function withRetries(
  attempt: () => Promise<void>,
  mayRepeat: (error: unknown) => boolean,
): Promise<void> {
  for (let repetitions = 0; ; repetitions++) {
    try {
      await attempt();
      return;
    } catch (error) {
      const pauseMs = PAUSES_MS[repetitions];
      if (pauseMs === undefined || !isLoss(error) || !mayRepeat(error)) throw error;
      await sleep(pauseMs);
    }
  }
}

function isLoss(error: unknown): boolean {
  return (
    error instanceof BigtraceError &&
    (error.code === 'orchestrator_unreachable' || error.code === 'draining') &&
    !isConnectTimeout(error)
  );
}
