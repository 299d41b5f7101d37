/** Validates the limits and the SQL of a request, and applies defaults. */
import { BigtraceError } from '../../lib/common/errors.ts';
import { engineNamed } from '../../lib/common/text/engine-comment.ts';
import { checkSqlLength } from '../../lib/common/text/text-bounds.ts';
import type { Limits } from '../../lib/proto/messages.ts';

export interface TimeLimits {
  queryTimeoutMs: number;
  queryTimeoutMsMax: number;
}

/**
 * Applies the default of the time limit. Limits that are not given stay 0: the workers apply their own defaults.
 * @throws invalid_option when the time limit is above the maximum
 */
export function completeLimits(
  requested: Partial<Limits> | null | undefined,
  { queryTimeoutMs, queryTimeoutMsMax }: TimeLimits,
): Limits {
  const timeoutMs = requested?.timeoutMs || queryTimeoutMs;
  if (timeoutMs > queryTimeoutMsMax)
    throw new BigtraceError(
      'invalid_option',
      `timeout of ${timeoutMs} ms must be <= ${queryTimeoutMsMax} ms`,
    );
  return {
    timeoutMs,
    resultRowsMax: requested?.resultRowsMax ?? 0,
    resultBytesMax: requested?.resultBytesMax ?? 0,
    traceBytesMax: requested?.traceBytesMax ?? 0,
    memoryBytesMax: requested?.memoryBytesMax ?? 0,
  };
}

/**
 * Validates the SQL of a request.
 * @throws no_sql when it is blank, limit_exceeded when it is too long, invalid_option when it names an engine wrongly
 */
export function checkSql(sql: Buffer): void {
  checkSqlLength('SQL', sql);
  if (sql.toString('latin1').trim() === '')
    throw new BigtraceError('no_sql', 'the query has no SQL');
  engineNamed(sql);
}
