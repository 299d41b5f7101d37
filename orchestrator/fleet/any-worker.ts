/** Makes a streaming call that any worker can serve, and retries it on another worker when one is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { fromServiceError } from '../../lib/common/call-errors.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { retryDecision, Unreached } from '../dispatch/retry.ts';
import type { Fleet, FleetWorker } from './fleet.ts';
import type { WorkerClient } from './worker-client.ts';

/** Pause before a worker that the call has tried already is tried again. */
const AGAIN_MS = 100;

export interface AnyWorkerOptions {
  fleet: Fleet;
  /** Time to wait for a usable worker. */
  workerWaitMs: number;
  signal: AbortSignal;
  /** Which workers to call; by default all. Called when there is a usable worker. @throws if none will do */
  accepts?: (worker: FleetWorker) => boolean;
}

/**
 * Yields the messages of one call, or of several in succession when workers are lost.
 * @param begin starts a call; called once per attempt, it requests what has not been received yet
 * @throws no_workers, the error of the worker, or the reason of `signal`
 */
export async function* fromAnyWorker<Message>(
  begin: (client: WorkerClient) => ClientReadableStream<Message>,
  { fleet, workerWaitMs, signal, accepts = () => true }: AnyWorkerOptions,
): AsyncGenerator<Message> {
  const tried = new Set<FleetWorker>();
  const unreached = new Unreached();
  let attempts = 0;
  for (;;) {
    const usable = (await fleet.waitUsable(workerWaitMs, signal)).filter(accepts);
    signal.throwIfAborted();
    const worker = usable.find((one) => !tried.has(one)) ?? usable[0];
    if (worker === undefined) throw fleet.noWorkers();
    tried.add(worker);
    const call = begin(worker.client);
    let reached = false;
    call.on('metadata', () => {
      reached = true;
    });
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel);
    try {
      for await (const message of call) yield message as Message;
      return;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = errorOfCall(thrown);
      if (error.code === 'worker_lost') fleet.suspect(worker, error.detail);
      const othersLeft = fleet.usable.some((one) => !tried.has(one) && accepts(one));
      if (unreached.wasAttempt(reached, othersLeft, workerWaitMs)) attempts += 1;
      const verdict = retryDecision(error, { attempts, crashes: 0, othersLeft });
      if (verdict.next === 'fail') throw verdict.error;
      if (!othersLeft) await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }
}

/** Returns the error that the worker sent. A call that this process did not cancel was cut, such as by a worker that stopped. */
function errorOfCall(thrown: unknown): BigtraceError {
  const error = fromServiceError(thrown, 'worker_lost');
  if (error.code !== 'cancelled') return error;
  return new BigtraceError('worker_lost', error.detail, { cause: thrown });
}
