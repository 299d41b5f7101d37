/** Lists the traces that match patterns, through a worker. */
import type { ListedTrace, ListRequest } from '../../lib/proto/messages.ts';
import { type AnyWorkerOptions, fromAnyWorker } from './any-worker.ts';

/**
 * Yields the listed traces in batches. After a worker is lost the listing starts again, so a trace may be yielded
 * twice: the caller removes duplicates.
 * @throws no_workers, the error of the worker, or the reason of `signal`
 */
export async function* listTraces(
  request: ListRequest,
  options: AnyWorkerOptions,
): AsyncGenerator<ListedTrace[]> {
  for await (const { trace } of fromAnyWorker((client) => client.list(request), options))
    yield trace;
}
