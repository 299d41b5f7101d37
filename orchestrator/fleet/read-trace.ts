/** Reads the bytes of a trace through a worker. */
import type { ReadTraceRequest } from '../../lib/proto/messages.ts';
import { type AnyWorkerOptions, fromAnyWorker } from './any-worker.ts';
import type { WorkerClient } from './worker-client.ts';

/**
 * Yields the bytes of the trace; when a worker is lost, the next one continues at the same offset.
 * @throws trace_not_found, trace_changed, and the errors of the store
 */
export async function* readTrace(
  { offset, length, ...trace }: ReadTraceRequest,
  options: AnyWorkerOptions,
): AsyncGenerator<Buffer> {
  let sent = 0;
  const begin = (client: WorkerClient) =>
    client.readTrace({
      ...trace,
      offset: offset + sent,
      length: length === 0 ? 0 : length - sent,
    });
  for await (const { data } of fromAnyWorker(begin, options)) {
    sent += data.length;
    yield data;
    if (length > 0 && sent >= length) return; // complete: an error of the worker no longer matters
  }
}
