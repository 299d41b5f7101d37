/** Converts between BigtraceError and gRPC: a status for Perfetto's clients, and our code in the trailers. */
import * as grpc from '@grpc/grpc-js';
import { asBigtraceError, BigtraceError, type ErrorCode, isErrorCode } from './errors.ts';
import { bytesFromText, printable, textFromBytes } from './text/byte-text.ts';

/** The trailer with our error code. A status without it does not come from Bigtrace. */
export const CODE_KEY = 'bigtrace-code';
const DETAIL_KEY = 'bigtrace-detail-bin';
const TRACE_KEY = 'bigtrace-trace-bin';

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

function first(metadata: grpc.Metadata | undefined, key: string): Buffer | undefined {
  const value = metadata?.get(key)[0];
  return value === undefined ? undefined : Buffer.from(value);
}

/**
 * Converts the error of a call. Without our code in the trailers, the gRPC status determines the code.
 * @param unreachable the code for UNAVAILABLE, and for other statuses of a broken connection
 */
export function fromServiceError(thrown: unknown, unreachable: ErrorCode): BigtraceError {
  if (!(thrown instanceof Error) || !('code' in thrown)) return asBigtraceError(thrown);
  const { code, details, metadata } = thrown as grpc.ServiceError;
  const ours = first(metadata, CODE_KEY)?.toString();
  if (ours !== undefined && isErrorCode(ours)) {
    const trace = first(metadata, TRACE_KEY);
    const detail = first(metadata, DETAIL_KEY);
    return new BigtraceError(ours, detail === undefined ? details : textFromBytes(detail), {
      ...(trace === undefined ? {} : { trace: textFromBytes(trace) }),
      cause: thrown,
    });
  }
  return new BigtraceError(
    statusCode(code, unreachable),
    socketMessage(details) || thrown.message,
    {
      cause: thrown,
    },
  );
}

/** Returns the socket's error message, which grpc-js wraps into a sentence about its own state. */
function socketMessage(details: string): string {
  return /Last error: (?!null)(?:Error: )?(.*?)\. Resolution note/s.exec(details)?.[1] ?? details;
}

/** Whether the peer ended the call with one of our errors. Otherwise gRPC itself set the status. */
export function hasOurCode(thrown: unknown): boolean {
  return first((thrown as Partial<grpc.ServiceError>).metadata, CODE_KEY) !== undefined;
}

function statusCode(status: grpc.status, unreachable: ErrorCode): ErrorCode {
  switch (status) {
    case grpc.status.CANCELLED:
      return 'cancelled';
    case grpc.status.DEADLINE_EXCEEDED:
      return 'deadline_exceeded';
    case grpc.status.INVALID_ARGUMENT:
      return 'invalid_option';
    case grpc.status.RESOURCE_EXHAUSTED:
      return 'limit_exceeded';
    case grpc.status.UNAUTHENTICATED:
      return 'unauthenticated';
    case grpc.status.PERMISSION_DENIED:
      return 'forbidden';
    case grpc.status.UNIMPLEMENTED:
      return 'internal';
    default:
      return unreachable; // UNAVAILABLE, and INTERNAL or UNKNOWN when a connection breaks
  }
}
