/** The errors of tasks, as they come from workers and as the client gets them. */
import { BigtraceError, isErrorCode } from '../../lib/common/errors.ts';

/** Adds to the error of a trace that needs too much memory how much the largest worker allows. */
export function withLargestWorker(
  error: BigtraceError,
  workers: readonly { instanceMemoryBytes: number }[],
): BigtraceError {
  const { code, detail, cause, neededBytes } = error;
  const largest = Math.max(...workers.map(({ instanceMemoryBytes }) => instanceMemoryBytes));
  if (neededBytes === undefined || !(largest > 0)) return error;
  const text = `${detail}; the fleet's largest worker allows ${largest} bytes`;
  return new BigtraceError(code, text, { cause, neededBytes });
}

/** Returns the error of a failed task. A task that fails with `cancelled` was cut off when its worker stopped. */
export function errorOf(code: string, detail: string, neededBytes: number): BigtraceError {
  if (code === 'cancelled') return new BigtraceError('worker_lost', detail);
  return new BigtraceError(isErrorCode(code) ? code : 'internal', detail, {
    neededBytes: neededBytes || undefined,
  });
}

export function workerLost({ address }: { address: string }, reason: string): BigtraceError {
  return new BigtraceError('worker_lost', `worker ${address} was lost: ${reason}`);
}
