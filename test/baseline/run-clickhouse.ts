/** Runs a lenient query through a ClickHouse view and reads its failures from bigtrace.failures. */
import { randomUUID } from 'node:crypto';
import { ERROR_CODES } from '../../lib/common/errors.ts';
import { bytesFromText, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { arrayLiteral, literal } from '../../lib/common/text/sql-literal.ts';
import type { System } from '../harness/system.ts';
import type { Cell } from './canonical.ts';
import { type Failure, shown, steady, type WayResult } from './result.ts';
import { readRowBinary, type Table } from './row-binary.ts';

/** The first cell of the row of a failed trace (bridge/columns/structure.ts). */
const FAILED = 'I2';

export async function runInClickHouse(
  system: System,
  view: string,
  addresses: readonly string[],
  sql: string,
): Promise<WayResult<Cell[]>> {
  const result: WayResult<Cell[]> = { error: undefined, types: [], traces: new Map() };
  const queryId = randomUUID();
  const query = `SELECT * FROM ${view}(traces=${arrayLiteral([...addresses])}, sql=${literal(sql)})`;
  const table = await send(system, query, queryId);
  if ('code' in table) return { ...result, error: table };
  const [, , ...columns] = table.columns;
  const names = columns.map(({ name }) => name);
  result.types = columns.map(({ type }) => type);
  const failed = new Set<string>();
  for (const [mark, address = '', ...cells] of table.rows) {
    const trace = traceOf(address);
    if (mark === FAILED) failed.add(trace);
    else addRow(result, trace, names, cells);
  }
  if (failed.size > 0)
    for (const [trace, failure] of await failuresOf(system, queryId))
      result.traces.set(trace, failure);
  // A trace without rows appears nowhere in the result; it succeeded, or it would be among the failures.
  for (const address of addresses) {
    const trace = shown(address);
    if (!result.traces.has(trace)) result.traces.set(trace, { names, rows: [] });
  }
  return result;
}

function addRow(result: WayResult<Cell[]>, trace: string, names: string[], cells: Cell[]): void {
  const known = result.traces.get(trace);
  if (known === undefined) result.traces.set(trace, { names, rows: [cells] });
  else if ('rows' in known) known.rows.push(cells);
}

async function failuresOf(system: System, queryId: string): Promise<Map<string, Failure>> {
  const query = `SELECT trace, code, message FROM failures WHERE query_id = ${literal(queryId)} AND trace != ''`;
  const table = await send(system, query, randomUUID());
  if ('code' in table) throw new Error(`bigtrace.failures: ${table.message}`);
  const text = (cell = ''): string => Buffer.from(cell.slice(1), 'latin1').toString();
  return new Map(
    table.rows.map(([trace, code, message]) => [
      traceOf(trace ?? ''),
      { code: text(code), message: steady(text(message)) },
    ]),
  );
}

async function send(system: System, query: string, queryId: string): Promise<Table | Failure> {
  const settings = new URLSearchParams({
    query_id: queryId,
    default_format: 'RowBinaryWithNamesAndTypes',
    max_threads: '1', // keeps the order of the rows
    wait_end_of_query: '1', // reports an error after the first rows as an error
  });
  const response = await fetch(`${system.clickhouseHttp}/?${settings}`, {
    method: 'POST',
    body: new Uint8Array(bytesFromText(query)),
    headers: { 'X-ClickHouse-User': 'analyst', 'X-ClickHouse-Key': system.analystPassword },
  });
  const body = Buffer.from(await response.arrayBuffer());
  return response.ok ? readRowBinary(body) : failureOf(body.toString());
}

const OURS = new RegExp(
  `DB::Exception: Executable generates stderr: (.*?) \\((${Object.keys(ERROR_CODES).join('|')})\\)`,
  's',
);

/** Returns Bigtrace's error, which ClickHouse's message contains and which ends with its code; else ClickHouse's. */
function failureOf(text: string): Failure {
  const [, ours, ourCode] = OURS.exec(text) ?? [];
  if (ours !== undefined && ourCode !== undefined) return { code: ourCode, message: steady(ours) };
  const [, code = '?', message = text] = /^Code: (\d+)\. (.*)$/s.exec(text) ?? [];
  return { code: `clickhouse_${code}`, message: steady(message.trim()) };
}

function traceOf(cell: Cell): string {
  return shown(textFromBytes(Buffer.from(cell.slice(1), 'latin1')));
}
