/**
 * The end mark of the format CustomSeparated. TSV has none: ClickHouse treats the end of the pipe as the end of the
 * rows, whatever closed it. With the settings of the profile bigtrace_rows, ClickHouse rejects CustomSeparated rows unless
 * this line follows them. It means that the rows are complete, or that stderr has an error.
 */
import { BigtraceError } from '../../lib/common/errors.ts';

export const END_MARK = Buffer.from('END\n');

/** Yields the lines before the mark. @throws internal if the last line is not the mark */
export async function* untilEndMark(
  batches: AsyncIterable<Uint8Array[]>,
): AsyncGenerator<Uint8Array[]> {
  let last: Uint8Array | undefined;
  for await (const lines of batches) {
    const pending: Uint8Array[] = last === undefined ? lines : [last, ...lines];
    last = pending.at(-1);
    if (pending.length > 1) yield pending.slice(0, -1);
  }
  if (last === undefined || !END_MARK.subarray(0, -1).equals(last))
    throw new BigtraceError('internal', 'malformed request: the list of traces is incomplete');
}
