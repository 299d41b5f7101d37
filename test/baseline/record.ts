/**
 * Makes the record of a query's results, and compares the three ways.
 *
 * Native and TSV must return the same. The rows of gRPC, cast to the types of the ClickHouse columns, must be the same
 * too, and traces must fail with the same messages. If the whole query fails in ClickHouse (no trace succeeded, or the
 * columns cannot hold the values), gRPC may still return results, and only Native and TSV are compared.
 */
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';
import { type Cell, castCell, digestOf, exactCell } from './canonical.ts';
import { type Failure, isFailure, type WayResult } from './result.ts';

export interface WayResults {
  grpc: WayResult<CellValue[]>;
  native: WayResult<Cell[]>;
  tsv: WayResult<Cell[]>;
}

/** Lines of a record that are about the query or its columns instead of a trace. */
export const WHOLE_QUERY = '(query)';
export const COLUMNS = '(columns)';

/** Results by trace: `ROWS rows DIGEST` or `CODE: MESSAGE`. */
export type Lines = Map<string, string>;

/** Results by way. Native and TSV are merged into `clickhouse` if they are the same. */
export type QueryRecord = Map<string, Lines>;

export function recordOf({ grpc, native, tsv }: WayResults): QueryRecord {
  const [ofNative, ofTsv] = [clickHouseLines(native), clickHouseLines(tsv)];
  const ofGrpc = digestLines(grpc, (row) => row.map(exactCell));
  return sameLines(ofNative, ofTsv)
    ? new Map([
        ['grpc', ofGrpc],
        ['clickhouse', ofNative],
      ])
    : new Map([
        ['grpc', ofGrpc],
        ['native', ofNative],
        ['tsv', ofTsv],
      ]);
}

/** Returns a line for each difference between the ways. */
export function disagreements({ grpc, native, tsv }: WayResults): string[] {
  const ofNative = clickHouseLines(native);
  const between = differences(ofNative, clickHouseLines(tsv), ['native', 'tsv']);
  if (native.error !== undefined) return between;
  const [names] = [...native.traces.values()].flatMap((one) => (isFailure(one) ? [] : [one.names]));
  const cast = digestLines(
    grpc,
    (row) => row.map((cell, at) => castCell(cell, native.types[at] ?? '')),
    names,
  );
  ofNative.delete(COLUMNS);
  return [...between, ...differences(cast, ofNative, ['grpc', 'native'])];
}

function clickHouseLines(result: WayResult<Cell[]>): Lines {
  const found = digestLines(result, (row) => row);
  const [names = []] = [...result.traces.values()].flatMap((one) =>
    isFailure(one) ? [] : [one.names],
  );
  const text = (name = ''): string => printable(textFromBytes(Buffer.from(name, 'latin1')));
  if (result.error === undefined)
    found.set(COLUMNS, result.types.map((type, at) => `${text(names[at])} ${type}`).join(', '));
  return found;
}

/** @param names column names that replace those of the results in the digests */
function digestLines<Row>(
  result: WayResult<Row>,
  cells: (row: Row) => readonly Cell[],
  names?: readonly string[],
): Lines {
  const found: Lines = new Map();
  if (result.error !== undefined) found.set(WHOLE_QUERY, failureText(result.error));
  for (const [trace, one] of result.traces)
    found.set(
      trace,
      isFailure(one)
        ? failureText(one)
        : `${one.rows.length} rows ${digestOf(names ?? one.names, one.rows.map(cells))}`,
    );
  return found;
}

function failureText({ code, message }: Failure): string {
  return `${code}: ${printable(message)}`;
}

function sameLines(one: Lines, other: Lines): boolean {
  return differences(one, other, ['', '']).length === 0;
}

export function differences(one: Lines, other: Lines, names: [string, string]): string[] {
  const traces = [...new Set([...one.keys(), ...other.keys()])];
  return traces
    .filter((trace) => one.get(trace) !== other.get(trace))
    .map(
      (trace) =>
        `${trace}: ${names[0]} ${one.get(trace) ?? 'nothing'}; ${names[1]} ${other.get(trace) ?? 'nothing'}`,
    );
}
