/** Converts a BigtraceError for gRPC clients: a status for Perfetto's, and our code in the trailers. */
import * as grpc from '@grpc/grpc-js';
import { CODE_KEY, DETAIL_KEY, TRACE_KEY } from './call-errors.ts';
import { asBigtraceError } from './errors.ts';
import { bytesFromText, printable, textFromBytes } from './text/byte-text.ts';

/** Trailers must fit a header block, of which peers accept 8 KiB by default. So long details are cut. */
const DETAIL_BYTES_MAX = 3000;
const TRACE_BYTES_MAX = 1000;

function cut(bytes: Buffer, bytesMax: number): Buffer {
  return bytes.length <= bytesMax
    ? bytes
    : Buffer.concat([bytes.subarray(0, bytesMax), Buffer.from(' …')]);
}

/** Returns what a server passes to grpc-js to end a call with the error `thrown`. */
export function toServiceError(thrown: unknown): grpc.ServerErrorResponse {
  const error = asBigtraceError(thrown);
  const metadata = new grpc.Metadata();
  metadata.set(CODE_KEY, error.code);
  const detail = cut(bytesFromText(error.detail), DETAIL_BYTES_MAX);
  metadata.set(DETAIL_KEY, detail);
  const trace =
    error.trace === undefined ? undefined : cut(bytesFromText(error.trace), TRACE_BYTES_MAX);
  if (trace !== undefined) metadata.set(TRACE_KEY, trace);
  const prefix = trace === undefined ? '' : `[${printable(textFromBytes(trace))}]: `;
  return Object.assign(new Error(error.message), {
    code: error.grpcStatus as grpc.status,
    details: `${prefix}${textFromBytes(detail)}`.toWellFormed(),
    metadata,
  });
}
