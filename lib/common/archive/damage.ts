/** Errors about data of archives and compressed files. */
import { BigtraceError } from '../errors.ts';

export function cutShort(format: string): BigtraceError {
  return new BigtraceError('trace_invalid', `the ${format} data of the trace is cut short`);
}

export function damagedData(format: string, why: string): BigtraceError {
  return new BigtraceError('trace_invalid', `the ${format} data of the trace is damaged: ${why}`);
}
