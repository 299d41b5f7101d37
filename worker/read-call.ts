/** One `ReadTrace` call: a trace's bytes out of its store, in pieces, as fast as the reader takes them. */
import { textFromBytes } from '../common/byte-text.ts';
import { drained } from '../common/drained.ts';
import type { ReadTraceRequest, ReadTraceResponse } from '../proto/messages.ts';
import type { TraceStores } from '../trace-store/index.ts';
import type { CallSink } from './list-call.ts';

const PIECE_BYTES_MAX = 256 * 1024;

/** @throws trace_changed where the trace is not of that generation any more, and what the store says */
export async function sendTrace(
  stores: TraceStores,
  { address, generation, offset, length }: ReadTraceRequest,
  sink: CallSink<ReadTraceResponse>,
  signal: AbortSignal,
): Promise<void> {
  let left = length || Number.POSITIVE_INFINITY;
  const options = { generation, start: offset, signal };
  for await (const chunk of stores.read(textFromBytes(address), options)) {
    for (let at = 0; at < chunk.length && left > 0; ) {
      const piece = chunk.subarray(at, at + Math.min(PIECE_BYTES_MAX, left));
      at += piece.length;
      left -= piece.length;
      // A copy, for the store may use its buffer again.
      if (!sink.write({ data: Buffer.from(piece) })) await drained(sink);
      signal.throwIfAborted();
    }
    if (left <= 0) return;
  }
}
