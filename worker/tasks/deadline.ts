/** Runs work with a time limit, below a parent's AbortSignal. */
import { BigtraceError } from '../../lib/common/errors.ts';

/**
 * Runs `work` with a signal that is aborted with the parent's reason, or with deadline_exceeded after `ms`
 * milliseconds; the error's message begins with `what`. No listener stays on the parent's signal.
 */
export async function withDeadline<T>(
  parent: AbortSignal,
  ms: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted();
  const own = new AbortController();
  const onAbort = (): void => own.abort(parent.reason);
  parent.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(
    () =>
      own.abort(
        new BigtraceError('deadline_exceeded', `${what} exceeded its time limit of ${ms} ms`),
      ),
    ms,
  );
  try {
    return await work(own.signal);
  } finally {
    clearTimeout(timer);
    parent.removeEventListener('abort', onAbort);
  }
}
