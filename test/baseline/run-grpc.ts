/** Runs a lenient query over gRPC and collects the rows or the failure of each trace. */
import type { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { bytesFromText, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { type CellValue, RowDecoder } from '../../lib/query-result/index.ts';
import { shown, steady, type WayResult } from './result.ts';

export async function runOverGrpc(
  client: OrchestratorClient,
  addresses: readonly string[],
  sql: string,
): Promise<WayResult<CellValue[]>> {
  const result: WayResult<CellValue[]> = { error: undefined, types: [], traces: new Map() };
  const open = new Map<string, { decoder: RowDecoder; rows: CellValue[][] }>();
  const start = {
    queryId: '',
    sql: bytesFromText(sql),
    onFailure: 'LENIENT',
    user: 'baseline',
    progressIntervalMs: 0,
  } as const;
  try {
    const { signal } = new AbortController();
    for await (const event of client.query(start, [addresses.map(bytesFromText)], signal)) {
      if (event.failure) {
        const { trace, code, message } = event.failure;
        result.traces.set(shown(textFromBytes(trace)), { code, message: steady(message) });
      }
      if (!event.rows) continue;
      const trace = shown(textFromBytes(event.rows.trace));
      const { decoder, rows } = open.get(trace) ?? { decoder: new RowDecoder(), rows: [] };
      open.set(trace, { decoder, rows });
      for (const row of decoder.rows(event.rows.result)) rows.push(row);
      if (!event.rows.last) continue;
      const names = decoder.columnNames.map((name) => bytesFromText(name).toString('latin1'));
      result.traces.set(trace, { names, rows });
    }
  } catch (thrown) {
    if (!(thrown instanceof BigtraceError)) throw thrown;
    result.error = { code: thrown.code, message: steady(thrown.message) };
  }
  return result;
}
