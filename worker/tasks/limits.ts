/** The bounds of one answer: what the client wants, within what the service allows. */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Limits } from '../../lib/proto/messages.ts';

/** The service's own maxima, which are its defaults too. */
export interface TaskLimits {
  /** Loading and asking one trace, from when a thread is free for it. */
  traceTimeoutMs: number;
  traceBytesMax: number;
  /** Of one TraceProcessor instance. */
  memoryBytesMax: number;
  /** Of one trace. */
  resultRowsMax: number;
  resultBytesMax: number;
}

export function taskLimits(asked: Partial<Limits> | null | undefined, own: TaskLimits): TaskLimits {
  const within = (wanted: number | undefined, max: number): number =>
    wanted === undefined || wanted === 0 ? max : Math.min(wanted, max);
  return {
    traceTimeoutMs: within(asked?.timeoutMs, own.traceTimeoutMs),
    traceBytesMax: within(asked?.traceBytesMax, own.traceBytesMax),
    memoryBytesMax: within(asked?.memoryBytesMax, own.memoryBytesMax),
    resultRowsMax: within(asked?.resultRowsMax, own.resultRowsMax),
    resultBytesMax: within(asked?.resultBytesMax, own.resultBytesMax),
  };
}

export function checkTraceBytes(size: number, { traceBytesMax }: TaskLimits): void {
  if (size > traceBytesMax)
    throw new BigtraceError(
      'limit_exceeded',
      `the trace is ${size} bytes long, the bound is ${traceBytesMax}`,
    );
}

export function checkResult(
  rows: number,
  bytes: number,
  { resultRowsMax, resultBytesMax }: TaskLimits,
): void {
  if (rows > resultRowsMax)
    throw new BigtraceError(
      'limit_exceeded',
      `the result has more rows than its bound of ${resultRowsMax}`,
    );
  if (bytes > resultBytesMax)
    throw new BigtraceError(
      'limit_exceeded',
      `the result has more bytes than its bound of ${resultBytesMax}`,
    );
}
