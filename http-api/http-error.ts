/** Errors as HTTP responses: a status and `{detail}`. */
import { BigtraceError, type ErrorKind } from '../lib/common/errors.ts';

/**
 * An error with an HTTP status that no code of lib/common/errors.ts maps to: 404 for an unknown query, 409, 416, 429.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

const STATUS_OF: Record<ErrorKind, number> = {
  user: 400,
  limit: 400,
  external: 503,
  internal: 500,
};

export function statusOf(thrown: unknown): number {
  if (thrown instanceof HttpError) return thrown.status;
  if (thrown instanceof BigtraceError)
    return thrown.code === 'trace_not_found' ? 404 : STATUS_OF[thrown.kind];
  // Errors of Fastify itself: the body is too large, is not JSON, or does not match the schema.
  const status = (thrown as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' ? status : 500;
}

export function badRequest(detail: string): BigtraceError {
  return new BigtraceError('invalid_option', detail);
}
