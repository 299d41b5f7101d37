/** Converts the error of a gRPC call to BigtraceError. It needs no gRPC library, which would take long to load. */
import { asBigtraceError, BigtraceError, type ErrorCode, isErrorCode } from './errors.ts';
import { textFromBytes } from './text/byte-text.ts';

/** The trailer with our error code. A status without it does not come from Bigtrace. */
export const CODE_KEY = 'bigtrace-code';
export const DETAIL_KEY = 'bigtrace-detail-bin';
export const TRACE_KEY = 'bigtrace-trace-bin';

/** Status codes of gRPC. */
export const STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** The trailers of a call: the `Metadata` of a gRPC library, or the bridge's own. */
export interface Trailers {
  get(key: string): readonly (string | Buffer)[];
}

/** What a call that failed throws. */
export interface CallFailure {
  code: number;
  details: string;
  metadata: Trailers;
}

function first(metadata: Trailers | undefined, key: string): Buffer | undefined {
  const value = metadata?.get(key)[0];
  return value === undefined ? undefined : Buffer.from(value);
}

/**
 * Converts the error of a call. Without our code in the trailers, the gRPC status determines the code.
 * @param unreachable the code for UNAVAILABLE, and for other statuses of a broken connection
 */
export function fromServiceError(thrown: unknown, unreachable: ErrorCode): BigtraceError {
  if (!(thrown instanceof Error) || !('code' in thrown)) return asBigtraceError(thrown);
  const { code, details, metadata } = thrown as Error & CallFailure;
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
  return first((thrown as Partial<CallFailure>).metadata, CODE_KEY) !== undefined;
}

function statusCode(status: number, unreachable: ErrorCode): ErrorCode {
  switch (status) {
    case STATUS.CANCELLED:
      return 'cancelled';
    case STATUS.DEADLINE_EXCEEDED:
      return 'deadline_exceeded';
    case STATUS.INVALID_ARGUMENT:
      return 'invalid_option';
    case STATUS.RESOURCE_EXHAUSTED:
      return 'limit_exceeded';
    case STATUS.UNAUTHENTICATED:
      return 'unauthenticated';
    case STATUS.PERMISSION_DENIED:
      return 'forbidden';
    case STATUS.UNIMPLEMENTED:
      return 'internal';
    default:
      return unreachable; // UNAVAILABLE, and INTERNAL or UNKNOWN when a connection breaks
  }
}
