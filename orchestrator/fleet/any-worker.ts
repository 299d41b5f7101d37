/** A streaming call that any worker can answer; another one is asked where the first is lost on the way. */
import type { ClientReadableStream } from '@grpc/grpc-js';
import { fromServiceError } from '../../lib/common/grpc-errors.ts';
import { retryDecision, wasAttempt } from '../dispatch/retry.ts';
import type { Fleet, FleetWorker } from './fleet.ts';
import type { WorkerClient } from './worker-client.ts';

export interface AnyWorkerOptions {
  fleet: Fleet;
  /** How long to wait for a worker when there is none. */
  workerWaitMs: number;
  signal: AbortSignal;
}

/**
 * Messages of all calls, one after the other: `begin` is called anew for each worker, and says what is
 * still wanted.
 * @throws no_workers, what the worker failed with, or what `signal` was aborted with
 */
export async function* fromAnyWorker<Message>(
  begin: (client: WorkerClient) => ClientReadableStream<Message>,
  { fleet, workerWaitMs, signal }: AnyWorkerOptions,
): AsyncGenerator<Message> {
  const tried = new Set<FleetWorker>();
  let attempts = 0;
  for (;;) {
    const usable = await fleet.waitUsable(workerWaitMs, signal);
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
      const error = fromServiceError(thrown, 'worker_lost');
      if (error.code === 'worker_lost') fleet.suspect(worker, error.detail);
      const othersLeft = fleet.usable.some((one) => !tried.has(one));
      if (wasAttempt(reached, othersLeft)) attempts += 1;
      const verdict = retryDecision(error, { attempts, crashes: 0, othersLeft });
      if (verdict.next === 'fail') throw verdict.error;
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }
}
