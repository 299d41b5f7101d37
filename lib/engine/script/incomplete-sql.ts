/**
 * Incomplete SQL (`SELECT 1 +`) makes TraceProcessor v55 crash in one of its own checks while it locates the error.
 * The client's script is at fault, so the error is sql_failed.
 */
import { BigtraceError } from '../../common/errors.ts';

const INCOMPLETE_SQL = 'incomplete SQL statement';

/** Returns the error that a script ended with: sql_failed instead of that crash. */
export function orIncompleteSql(error: unknown): unknown {
  return isIncompleteSql(error) ? new BigtraceError('sql_failed', INCOMPLETE_SQL) : error;
}

function isIncompleteSql(error: unknown): boolean {
  return (
    error instanceof BigtraceError &&
    error.code === 'engine_crashed' &&
    /sql_source\.cc:\d+ PERFETTO_CHECK\(rewritten_offset/.test(error.detail)
  );
}
