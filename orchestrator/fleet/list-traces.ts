/** Asks a worker for the traces that match patterns. */
import type { ListedTrace, ListRequest } from '../../lib/proto/messages.ts';
import { type AnyWorkerOptions, fromAnyWorker } from './any-worker.ts';

/**
 * After a worker was lost the listing starts again, so traces may come twice: the caller has each once.
 * @throws no_workers, or what the worker failed with
 */
export async function* listTraces(
  request: ListRequest,
  options: AnyWorkerOptions,
): AsyncGenerator<ListedTrace[]> {
  for await (const { trace } of fromAnyWorker((client) => client.list(request), options))
    yield trace;
}
