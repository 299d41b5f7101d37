/** Serves one `ReadTrace` call: sends the bytes of a trace in pieces, as fast as the client reads. */

import { drained } from '../../lib/common/network/stream-drain.ts';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { ReadTraceRequest, ReadTraceResponse } from '../../lib/proto/messages.ts';
import type { Turn } from '../scheduling/turns.ts';
import type { TaskExecutorParts } from '../tasks/task-request.ts';
import type { CallSink } from './list-call.ts';

const PIECE_BYTES_MAX = 256 * 1024;

/**
 * Sends `length` bytes from `offset` (length 0: to the end).
 * @throws trace_changed if the trace has another generation by now; store errors
 */
export async function sendTrace(
  { stores, admission }: Pick<TaskExecutorParts, 'stores' | 'admission'>,
  { address, generation, offset, length }: ReadTraceRequest,
  sink: CallSink<ReadTraceResponse>,
  turn: Turn,
  signal: AbortSignal,
): Promise<void> {
  const trace = textFromBytes(address);
  const options = { generation, start: offset, signal };
  await admission
    .task(turn, 'rows', signal)
    .lookup(trace, () => sendPieces(stores.read(trace, options), length, sink, signal));
}

async function sendPieces(
  chunks: AsyncIterable<Uint8Array>,
  length: number,
  sink: CallSink<ReadTraceResponse>,
  signal: AbortSignal,
): Promise<void> {
  let remaining = length || Number.POSITIVE_INFINITY;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length && remaining > 0; ) {
      const piece = chunk.subarray(at, at + Math.min(PIECE_BYTES_MAX, remaining));
      at += piece.length;
      remaining -= piece.length;
      const data = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      if (!sink.write({ data })) await drained(sink);
      signal.throwIfAborted();
    }
    if (remaining <= 0) return;
  }
}
