/** Errors as the page sees them: a status and `{detail}`. */
import { BigtraceError, type ErrorKind } from '../lib/common/errors.ts';

/** What no code of lib/common/errors.ts says: 404 for a query that is not known, 409, 429. */
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
  // Fastify's own: a body that is too large, no JSON, or not as its schema says.
  const status = (thrown as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' ? status : 500;
}

export function badRequest(detail: string): BigtraceError {
  return new BigtraceError('invalid_option', detail);
}
