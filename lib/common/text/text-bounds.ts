/** Bounds of the texts in a request. Each is stated in the error, so that the client can do something about it. */
import { BigtraceError } from '../errors.ts';

/** More than any script has; TraceProcessor's own bound for one message is 64 MiB. */
export const SQL_BYTES_MAX = 32 * 2 ** 20;

/** Of a trace's address or a pattern: signed URLs are the longest, and have 2,000 or so. */
export const ADDRESS_CHARS_MAX = 8192;

/** Of an address `/where/…`: it may name many traces. */
export const WHERE_CHARS_MAX = 8 * 2 ** 20;

/** @throws limit_exceeded, with the trace where one is given */
export function checkSqlLength(what: string, { length }: Uint8Array, trace?: string): void {
  if (length > SQL_BYTES_MAX)
    throw new BigtraceError(
      'limit_exceeded',
      `${what} is ${length} bytes long, the bound is ${SQL_BYTES_MAX}`,
      trace === undefined ? {} : { trace },
    );
}
