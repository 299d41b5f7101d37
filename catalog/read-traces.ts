/** Runs a script on traces through the orchestrator and collects the results by trace. */

import type { OrchestratorClient } from '../lib/client/orchestrator-client.ts';
import { BigtraceError, isErrorCode } from '../lib/common/errors.ts';
import { bytesFromText, textFromBytes } from '../lib/common/text/byte-text.ts';
import { type CellValue, RowDecoder } from '../lib/query-result/index.ts';

/** Result of one trace: its rows, or the error. */
export type TraceResult = { columns: string[]; rows: CellValue[][] } | BigtraceError;

/**
 * Runs `sql` on the traces and keeps up to `rowsMax` rows of each.
 * @throws BigtraceError if the query fails as a whole, unless it is all_failed
 */
export async function readTraces(
  client: OrchestratorClient,
  sql: string,
  addresses: readonly string[],
  { rowsMax = Number.POSITIVE_INFINITY, signal }: { rowsMax?: number; signal: AbortSignal },
): Promise<Map<string, TraceResult>> {
  const results = new Map<string, TraceResult>();
  const decoders = new Map<string, RowDecoder>();
  const start = {
    queryId: '',
    sql: bytesFromText(sql),
    onFailure: 'LENIENT',
    user: 'index',
    progressIntervalMs: 0,
  } as const;
  try {
    for await (const { rows, failure } of client.query(
      start,
      [addresses.map(bytesFromText)],
      signal,
    )) {
      if (failure) {
        const code = isErrorCode(failure.code) ? failure.code : 'internal';
        results.set(textFromBytes(failure.trace), new BigtraceError(code, failure.message));
      } else if (rows) {
        const address = textFromBytes(rows.trace);
        const decoder = decoders.get(address) ?? new RowDecoder();
        decoders.set(address, decoder);
        const previous = results.get(address);
        const result =
          previous === undefined || previous instanceof BigtraceError
            ? { columns: [], rows: [] }
            : previous;
        for (const row of decoder.rows(rows.result))
          if (result.rows.length < rowsMax) result.rows.push(row);
        results.set(address, { ...result, columns: decoder.columnNames });
        if (rows.last) decoders.delete(address);
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof BigtraceError) || thrown.code !== 'all_failed') throw thrown;
  }
  return results;
}
