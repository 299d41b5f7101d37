/** Asks a worker for the traces that match patterns; another one when it is lost on the way. */
import { fromServiceError } from '../common/grpc-errors.ts';
import type { ListedTrace, ListRequest } from '../proto/messages.ts';
import type { Fleet, FleetWorker } from './fleet.ts';
import { verdictOn } from './retry.ts';

export interface ListOptions {
  fleet: Fleet;
  workerWaitMs: number;
  signal: AbortSignal;
}

/**
 * After a worker was lost the listing starts again, so traces may come twice: the caller has each once.
 * @throws no_workers, or what the worker failed with
 */
export async function* listTraces(
  request: ListRequest,
  { fleet, workerWaitMs, signal }: ListOptions,
): AsyncGenerator<ListedTrace[]> {
  const tried = new Set<FleetWorker>();
  for (let attempts = 1; ; attempts++) {
    const usable = await fleet.waitUsable(workerWaitMs, signal);
    const worker = usable.find((one) => !tried.has(one)) ?? usable[0];
    if (worker === undefined) throw fleet.noWorkers();
    tried.add(worker);
    const call = worker.client.list(request);
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel);
    try {
      for await (const { trace } of call) yield trace;
      return;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = fromServiceError(thrown, 'worker_lost');
      if (error.code === 'worker_lost') fleet.suspect(worker, error.detail);
      const othersLeft = fleet.usable.some((one) => !tried.has(one));
      const verdict = verdictOn(error, { attempts, crashes: 0, othersLeft });
      if (verdict.next === 'fail') throw verdict.error;
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }
}
