/**
 * The rows that ClickHouse hands to the bridge, in the format that its answer has: TSV, or Native with
 * `--format Native`.
 *
 * `bigtrace query` reads ONE row on stdin:
 *
 *   | # | column      | type          |                                                               |
 *   | - | ----------- | ------------- | ------------------------------------------------------------- |
 *   | 1 | traces      | Array(String) | addresses or glob patterns; may be empty with --traces-fd     |
 *   | 2 | sql         | String        | PerfettoSQL script                                            |
 *   | 3 | query_id    | String        | queryID()                                                     |
 *   | 4 | user        | String        | currentUser()                                                 |
 *   | 5 | on_failure  | String        | 'strict' or 'lenient'                                         |
 *   | 6 | structure   | String        | the very text given to executable() as the table's structure  |
 *   | 7 | statement   | String        | the client's whole statement, as far as it is known; optional |
 *   | 8 | table       | String        | of bigtrace_table: the argument of that name; optional        |
 *   | 9 | sample      | Array(String) | of bigtrace_table: the argument of that name; with column 8   |
 *
 * With `--traces-fd 3` it reads further traces from that descriptor, one String a row, as a stream: the
 * second input query of executable().
 *
 * `bigtrace schema` reads rows of columns 1 to 5 and a sixth, as RowBinary, as they come, and answers each with one
 * String: the structure. The sixth is 'find', or 'again' where the query has been given its columns already.
 */

import { BigtraceError } from '../../lib/common/errors.ts';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { firstBlock } from '../native/input.ts';
import { fieldsOf, stringsOf, unescaped } from '../tsv/input.ts';

/** ClickHouse itself bounds a literal by max_query_size, but an operator may raise that. */
export const REQUEST_BYTES_MAX = 256 * 2 ** 20;

/** Of the columns that `bigtrace schema` reads: all but the first. */
export const SCHEMA_TEXTS = 5;

export interface SchemaInput {
  traces: Buffer[];
  sql: Buffer;
  queryId: string;
  user: string;
  lenient: boolean;
  /** The query has been given its columns: it gets the same. */
  again: boolean;
}

export interface QueryInput extends Omit<SchemaInput, 'again'> {
  structure: string;
  /** Empty where it is not known. */
  statement: string;
  /** Of bigtrace_table: the table that names the traces, and the traces over which its columns were found. */
  list?: { table: string; sample: Buffer[] };
}

/** The columns of a row. */
export interface RequestRow {
  traces: Buffer[];
  /** Columns 2 to 5, 6, 7 or 8. */
  texts: Buffer[];
  /** Column 9. */
  sample?: Buffer[];
}

/** Columns between the two arrays of a row. */
const TEXTS_MAX = 7;

/** Columns of a row of TSV. @throws internal */
export function rowOfTsv(line: Uint8Array): RequestRow {
  const [traces = new Uint8Array(), ...others] = fieldsOf(line);
  const texts = others.slice(0, TEXTS_MAX).map(unescaped);
  const [sample] = others.slice(TEXTS_MAX).map(stringsOf);
  return { traces: stringsOf(traces), texts, ...(sample === undefined ? {} : { sample }) };
}

/** Columns of the only row of a Native block. @throws internal */
export function rowOfNative(bytes: Buffer): RequestRow {
  const [traces, ...others] = firstBlock(bytes).map((column) => column[0]);
  const sample = others[TEXTS_MAX];
  const strings = Array.isArray(sample) ? others.slice(0, TEXTS_MAX) : others;
  const texts = strings.filter((value) => Buffer.isBuffer(value));
  if (!Array.isArray(traces) || texts.length < strings.length)
    throw malformed('its columns are not traces and then texts');
  return { traces, texts, ...(Array.isArray(sample) ? { sample } : {}) };
}

/** @throws BigtraceError internal, where the row is not what the view must send; no_sql, no_traces. */
export function schemaInput(row: RequestRow): SchemaInput {
  const input = commonInput(row, [SCHEMA_TEXTS + 1]);
  if (input.traces.length === 0) throw noTraces();
  return { ...input, again: textOf(row.texts[4]) === 'again' };
}

/** @throws as schemaInput */
export function queryInput(row: RequestRow, moreTraces: boolean): QueryInput {
  const { texts, sample } = row;
  const input = commonInput(row, sample === undefined ? [6, 7] : [8]);
  if (input.traces.length === 0 && !moreTraces) throw noTraces();
  return {
    ...input,
    structure: textOf(texts[4]),
    statement: textOf(texts[5]),
    ...(sample === undefined ? {} : { list: { table: textOf(texts[6]), sample } }),
  };
}

function commonInput(
  { traces, texts }: RequestRow,
  columns: readonly number[],
): Omit<SchemaInput, 'again'> {
  if (!columns.includes(texts.length + 1))
    throw malformed(`${texts.length + 1} columns instead of ${columns.join(' or ')}`);
  const [sql = Buffer.of(), queryId, user, failure] = texts;
  const onFailure = textOf(failure);
  if (onFailure !== 'strict' && onFailure !== 'lenient')
    throw new BigtraceError(
      'invalid_option',
      `on_failure '${onFailure}' must be 'strict' or 'lenient'`,
    );
  if (sql.toString('latin1').trim() === '')
    throw new BigtraceError('no_sql', 'sql is empty: give the PerfettoSQL to run over each trace');
  return {
    traces,
    sql,
    queryId: textOf(queryId),
    user: textOf(user),
    lenient: onFailure === 'lenient',
  };
}

function textOf(bytes: Uint8Array | undefined): string {
  return textFromBytes(bytes ?? new Uint8Array());
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
