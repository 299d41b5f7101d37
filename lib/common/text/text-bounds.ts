/** Bounds of the texts in a request. The error states the bound, so that the client can act on it. */
import { BigtraceError } from '../errors.ts';

/** Bound of a script, more than any needs. TraceProcessor's own bound for one message is 64 MiB. */
export const SQL_BYTES_MAX = 32 * 2 ** 20;

/** Bound of a trace address or pattern. The longest are signed URLs, with about 2,000 characters. */
export const ADDRESS_CHARS_MAX = 8192;

/** Bound of a `/where/` address, whose expression may list many traces. */
export const WHERE_CHARS_MAX = 8 * 2 ** 20;

/** Bound of the name of a user and of a query ID: services keep those of ended queries. */
export const NAME_CHARS_MAX = 1024;

/** @throws limit_exceeded */
export function checkNameLength(what: string, { length }: string): void {
  if (length > NAME_CHARS_MAX)
    throw new BigtraceError(
      'limit_exceeded',
      `${what} is ${length} characters long, the bound is ${NAME_CHARS_MAX}`,
    );
}

/** @throws limit_exceeded, with `trace` if it is given */
export function checkSqlLength(what: string, { length }: Uint8Array, trace?: string): void {
  if (length > SQL_BYTES_MAX)
    throw new BigtraceError(
      'limit_exceeded',
      `${what} is ${length} bytes long, the bound is ${SQL_BYTES_MAX}`,
      trace === undefined ? {} : { trace },
    );
}
