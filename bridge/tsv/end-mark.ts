/**
 * TSV has no sign of its end: ClickHouse takes the end of the pipe for the end of the rows, whatever ended it. In the
 * format CustomSeparated, as the profile bigtrace_rows sets it up, a line behind the last row says that these were all,
 * or that stderr says what went wrong. ClickHouse refuses rows without this line.
 */
import { BigtraceError } from '../../lib/common/errors.ts';

export const END_MARK = Buffer.from('END\n');

/** The lines in front of the mark. @throws internal, where there is none */
export async function* untilEndMark(
  batches: AsyncIterable<Uint8Array[]>,
): AsyncGenerator<Uint8Array[]> {
  let last: Uint8Array | undefined;
  for await (const lines of batches) {
    const known: Uint8Array[] = last === undefined ? lines : [last, ...lines];
    last = known.at(-1);
    if (known.length > 1) yield known.slice(0, -1);
  }
  if (last === undefined || !END_MARK.subarray(0, -1).equals(last))
    throw new BigtraceError('internal', 'malformed request: the list of traces was cut short');
}
