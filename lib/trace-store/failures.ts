/** Errors that all store drivers share. */
import { BigtraceError } from '../common/errors.ts';

/** Returns the error of an aborted operation: the signal's reason if it is a BigtraceError, else `cancelled`. */
export function aborted(signal: AbortSignal): BigtraceError {
  const reason: unknown = signal.reason;
  if (reason instanceof BigtraceError) return reason;
  return new BigtraceError('cancelled', 'the reading of the trace was cancelled', {
    cause: reason,
  });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

export function notFound(detail = 'the trace does not exist'): BigtraceError {
  return new BigtraceError('trace_not_found', detail);
}

export function changed(): BigtraceError {
  return new BigtraceError('trace_changed', 'the trace changed while it was being read');
}

/**
 * @param got the number of bytes received
 * @param size the number of bytes that the store announced
 */
export function wrongLength(received: number, size: number): BigtraceError {
  return new BigtraceError(
    'store_failed',
    `the store returned ${received} bytes of a trace of ${size} bytes`,
  );
}

/**
 * Rejects as soon as the signal aborts, for promises that cannot be cancelled. The work behind the promise may
 * continue; its outcome is ignored.
 */
export async function interruptible<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (signal === undefined) return promise;
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(aborted(signal));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
