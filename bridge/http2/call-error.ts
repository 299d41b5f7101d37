/** The gRPC status of a call, from the trailers, the HTTP status, or the way in which its stream ended. */
import { constants, type IncomingHttpHeaders } from 'node:http2';
import { type CallFailure, STATUS, type Trailers } from '../../lib/common/call-errors.ts';

const NONE: Trailers = { get: () => [] };

/** A call that failed. */
export class CallError extends Error implements CallFailure {
  override readonly name = 'CallError';
  readonly code: number;
  readonly details: string;
  readonly metadata: Trailers;
  /** Whether the server has not processed the call, so that it may be repeated. */
  readonly isRefused: boolean;

  constructor(code: number, details: string, metadata = NONE, isRefused = false) {
    super(details);
    this.code = code;
    this.details = details;
    this.metadata = metadata;
    this.isRefused = isRefused;
  }
}

/** Returns the status that trailers contain, if they do. Its code is 0 if the call succeeded. */
export function statusOf(trailers: IncomingHttpHeaders): CallError | undefined {
  const code = trailers['grpc-status'];
  if (typeof code !== 'string') return undefined;
  const isCode = /^\d+$/.test(code);
  const message = trailers['grpc-message'];
  const details = typeof message === 'string' ? percentDecoded(message) : '';
  const metadata = { get: (key: string) => valuesOf(key, trailers[key]) };
  return isCode
    ? new CallError(Number(code), details, metadata)
    : new CallError(STATUS.UNKNOWN, `received the status '${code}'`, metadata);
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Values of a key that ends in `-bin` are in base64; several are separated by commas. */
function valuesOf(key: string, value: string | string[] | undefined): (string | Buffer)[] {
  if (value === undefined) return [];
  const values = Array.isArray(value) ? value : [value];
  if (!key.endsWith('-bin')) return values;
  return values.flatMap((one) => one.split(',').map((part) => Buffer.from(part, 'base64')));
}

/** Returns the status of a response that is not gRPC's, as gRPC maps the HTTP status. */
export function statusOfHttp(httpStatus: number): CallError {
  const details = `received HTTP status code ${httpStatus}`;
  switch (httpStatus) {
    case 400:
      return new CallError(STATUS.INTERNAL, details);
    case 401:
      return new CallError(STATUS.UNAUTHENTICATED, details);
    case 403:
      return new CallError(STATUS.PERMISSION_DENIED, details);
    case 404:
      return new CallError(STATUS.UNIMPLEMENTED, details);
    case 429:
    case 502:
    case 503:
    case 504:
      return new CallError(STATUS.UNAVAILABLE, details);
    default:
      return new CallError(STATUS.UNKNOWN, details);
  }
}

/** Returns the error of a call that the server has not processed. */
export function refused(): CallError {
  return new CallError(STATUS.UNAVAILABLE, 'the server refused the call', NONE, true);
}

/** Returns the status of a stream that the server ended without one. @param rstCode code of RST_STREAM */
export function statusOfReset(rstCode: number, error: Error | undefined): CallError {
  switch (rstCode) {
    case constants.NGHTTP2_NO_ERROR:
      return new CallError(STATUS.INTERNAL, 'the call ended without a gRPC status');
    case constants.NGHTTP2_REFUSED_STREAM:
      return refused();
    case constants.NGHTTP2_CANCEL:
      return new CallError(STATUS.CANCELLED, 'the server cancelled the call');
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return new CallError(STATUS.RESOURCE_EXHAUSTED, 'the server has no bandwidth or memory left');
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return new CallError(STATUS.PERMISSION_DENIED, 'the protocol is not secure enough');
    default: {
      const why = error === undefined ? '' : `: ${error.message}`;
      return new CallError(STATUS.INTERNAL, `received RST_STREAM with code ${rstCode}${why}`);
    }
  }
}
