/**
 * The rows that ClickHouse hands to the bridge, as TSV (or CustomSeparated with the escaping of TSV).
 *
 * `bigtrace query` reads ONE row on stdin, then no more:
 *
 *   | # | column      | type          |                                                               |
 *   | - | ----------- | ------------- | ------------------------------------------------------------- |
 *   | 1 | traces      | Array(String) | addresses or glob patterns; may be empty with --traces-fd     |
 *   | 2 | sql         | String        | PerfettoSQL script                                            |
 *   | 3 | query_id    | String        | queryID()                                                     |
 *   | 4 | user        | String        | currentUser()                                                 |
 *   | 5 | on_failure  | String        | 'strict' or 'lenient'                                         |
 *   | 6 | structure   | String        | the very text given to executable() as the table's structure  |
 *
 * With `--traces-fd 3` it reads further traces from that descriptor, one String a row, as a stream: the
 * second input query of executable(). With `--end-mark` the list, as the rows of the answer, ends with a line `END`.
 *
 * `bigtrace schema` reads rows of columns 1 to 5 as they come, and answers each with one String: the
 * structure.
 */
import { textFromBytes } from '../common/byte-text.ts';
import { BigtraceError } from '../common/errors.ts';
import { fieldsOf, stringsOf, unescaped } from './tsv.ts';

/** ClickHouse itself bounds a literal by max_query_size, but an operator may raise that. */
export const REQUEST_BYTES_MAX = 256 * 2 ** 20;

export interface SchemaInput {
  traces: Buffer[];
  sql: Buffer;
  queryId: string;
  user: string;
  lenient: boolean;
}

export interface QueryInput extends SchemaInput {
  structure: string;
}

/** @throws BigtraceError internal, where the row is not what the view must send; no_sql, no_traces. */
export function parseSchemaInput(line: Uint8Array): SchemaInput {
  const fields = fieldsOf(line);
  if (fields.length !== 5) throw malformed(`${fields.length} columns instead of 5`);
  const input = commonFields(fields);
  if (input.traces.length === 0) throw noTraces();
  return input;
}

export function parseQueryInput(line: Uint8Array, moreTraces: boolean): QueryInput {
  const fields = fieldsOf(line);
  if (fields.length !== 6) throw malformed(`${fields.length} columns instead of 6`);
  const input = commonFields(fields);
  if (input.traces.length === 0 && !moreTraces) throw noTraces();
  return { ...input, structure: textOf(fields, 5) };
}

function commonFields(fields: Uint8Array[]): SchemaInput {
  const onFailure = textOf(fields, 4);
  if (onFailure !== 'strict' && onFailure !== 'lenient')
    throw new BigtraceError(
      'invalid_option',
      `on_failure '${onFailure}' must be 'strict' or 'lenient'`,
    );
  const sql = bytesOf(fields, 1);
  if (sql.toString('latin1').trim() === '')
    throw new BigtraceError('no_sql', 'sql is empty: give the PerfettoSQL to run over each trace');
  return {
    traces: stringsOf(fields[0] ?? new Uint8Array()),
    sql,
    queryId: textOf(fields, 2),
    user: textOf(fields, 3),
    lenient: onFailure === 'lenient',
  };
}

function bytesOf(fields: Uint8Array[], index: number): Buffer {
  return unescaped(fields[index] ?? new Uint8Array());
}

function textOf(fields: Uint8Array[], index: number): string {
  return textFromBytes(bytesOf(fields, index));
}

function malformed(what: string): BigtraceError {
  return new BigtraceError('internal', `malformed request: ${what}`);
}

function noTraces(): BigtraceError {
  return new BigtraceError(
    'no_traces',
    "traces is empty: give addresses or patterns, such as ['/local/**']",
  );
}
