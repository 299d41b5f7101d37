/** Translates errors of Google's client library and of the service into BigtraceError. */
import { BigtraceError } from '../../common/errors.ts';
import { connectionError, statusError } from '../http-request.ts';

/** @param thrown what the library threw: its ApiError has the HTTP status as `code`, the auth library other codes */
export function gcsError(thrown: unknown): BigtraceError {
  if (thrown instanceof BigtraceError) return thrown;
  const message = thrown instanceof Error ? firstLine(thrown.message) : String(thrown);
  if (/invalid_grant|invalid_client|invalid_rapt|default credentials|private_key/.test(message))
    return new BigtraceError(
      'unauthenticated',
      `Google rejected the credentials (expired, revoked or wrong): ${message}`,
      { cause: thrown },
    );
  const code = thrown instanceof Error && 'code' in thrown ? Number(thrown.code) : Number.NaN;
  return Number.isInteger(code) ? statusError(code, message) : connectionError(thrown, undefined);
}

/** Returns the service's message from the body of an error response, JSON or plain text. */
export function rejectionReason(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    const message = (parsed as { error?: { message?: unknown } }).error?.message;
    if (typeof message === 'string') return firstLine(message);
  } catch {
    // Not JSON: the body is the message.
  }
  return firstLine(body);
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0]?.slice(0, 300) ?? '';
}
