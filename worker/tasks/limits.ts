/** Defines the limits of one task: those that the client requests, but at most the worker's own. */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Limits } from '../../lib/proto/messages.ts';

/** The worker's limits are the maxima of the requested ones, and their defaults. */
export interface TaskLimits {
  /** Milliseconds to load the trace and run the script, for each lease of an engine; a repeated load starts anew. */
  traceTimeoutMs: number;
  traceBytesMax: number;
  /** Maximum memory of the engine. */
  memoryBytesMax: number;
  /** Maximum number of rows, and size of the encoded results, of one trace. */
  resultRowsMax: number;
  resultBytesMax: number;
}

/** Combines requested limits with the worker's own; a limit of 0 or undefined is not requested. */
export function taskLimits(
  requested: Partial<Limits> | null | undefined,
  own: TaskLimits,
): TaskLimits {
  const within = (value: number | undefined, max: number): number =>
    value === undefined || value === 0 ? max : Math.min(value, max);
  return {
    traceTimeoutMs: within(requested?.timeoutMs, own.traceTimeoutMs),
    traceBytesMax: within(requested?.traceBytesMax, own.traceBytesMax),
    memoryBytesMax: within(requested?.memoryBytesMax, own.memoryBytesMax),
    resultRowsMax: within(requested?.resultRowsMax, own.resultRowsMax),
    resultBytesMax: within(requested?.resultBytesMax, own.resultBytesMax),
  };
}

/** @throws limit_exceeded if the trace is larger than the limit */
export function checkTraceBytes(size: number, { traceBytesMax }: TaskLimits): void {
  if (size > traceBytesMax)
    throw new BigtraceError(
      'limit_exceeded',
      `the trace is ${size} bytes long, the bound is ${traceBytesMax}`,
    );
}

/** @throws limit_exceeded if the result has more rows or bytes than its limits */
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
