/**
 * Serves one `List` call: expands patterns in the stores, and sends the traces in batches, as fast as the
 * client reads.
 */

import { type Drains, drained } from '../../lib/common/network/stream-drain.ts';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import type { ListedTrace, ListResponse } from '../../lib/proto/messages.ts';
import type { TraceStores } from '../../lib/trace-store/index.ts';

const BATCH_TRACES = 512;
/** The first batch is small, so that a query over a huge store can begin early. */
const FIRST_BATCH_TRACES = 16;

/** The writable side of a streaming call, with back-pressure. */
export interface CallSink<Message> extends Drains {
  write(message: Message): boolean;
}

/**
 * Sends at most `limit` traces (0: all). A trace that matches several patterns is sent several times; the
 * client removes duplicates.
 */
export async function sendListed(
  stores: TraceStores,
  patterns: readonly string[],
  limit: number,
  sink: CallSink<ListResponse>,
  signal: AbortSignal,
): Promise<void> {
  let batch: ListedTrace[] = [];
  let batchMax = FIRST_BATCH_TRACES;
  let listed = 0;
  const flush = async (): Promise<void> => {
    const trace = batch;
    batch = [];
    batchMax = BATCH_TRACES;
    if (trace.length > 0 && !sink.write({ trace })) await drained(sink);
  };
  for (const pattern of patterns) {
    for await (const { address, size, generation, modifiedMs } of stores.list(pattern, signal)) {
      batch.push({ address: bytesFromText(address), size: size ?? 0, generation, modifiedMs });
      listed++;
      if (batch.length >= batchMax) await flush();
      signal.throwIfAborted();
      if (listed === limit) return flush();
    }
  }
  await flush();
}
