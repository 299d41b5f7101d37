/** One `List` call: patterns expanded by the stores, in batches, as fast as the reader takes them. */

import { type Drains, drained } from '../../lib/common/network/stream-drain.ts';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import type { ListedTrace, ListResponse } from '../../lib/proto/messages.ts';
import type { TraceStores } from '../../lib/trace-store/index.ts';

const BATCH_TRACES = 512;
/** The first traces go out early: a query over a huge store begins with them. */
const FIRST_BATCH_TRACES = 16;

/** Where a call's messages go, as fast as its reader takes them. */
export interface CallSink<Message> extends Drains {
  write(message: Message): boolean;
}

/** A trace that several patterns match comes several times: making it one is the client's matter. */
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
