/**
 * Reads the requests that ClickHouse writes to the bridge. A query row has the format of the rows that the bridge
 * writes: TSV, or Native with `--format Native`.
 *
 * `bigtrace query` reads ONE row on stdin:
 *
 *   | # | column      | type          |                                                               |
 *   | - | ----------- | ------------- | ------------------------------------------------------------- |
 *   | 1 | traces      | Array(String) | addresses or glob patterns; may be empty with --traces-fd     |
 *   | 2 | sql         | String        | PerfettoSQL script                                            |
 *   | 3 | query_id    | String        | queryID()                                                     |
 *   | 4 | user        | String        | who is logged in, or whom the HTTP API names                  |
 *   | 5 | on_failure  | String        | 'strict' or 'lenient'                                         |
 *   | 6 | structure   | String        | the same text as the structure in the call of executable()    |
 *   | 7 | statement   | String        | the start of the client's statement; may be empty; optional   |
 *   | 8 | table       | String        | the argument of bigtrace_table with this name; optional       |
 *   | 9 | sample      | Array(String) | the argument of bigtrace_table with this name; with column 8  |
 *
 * With `--traces-fd 3` it reads more trace addresses as a stream from that descriptor, one String per row: the second
 * input query of executable().
 *
 * `bigtrace schema` reads rows with columns 1 to 5 and a sixth in RowBinary, and writes one String for each: the
 * structure. The sixth is 'find', or 'again' if the query has already received its columns.
 */

import { BigtraceError } from '../../lib/common/errors.ts';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import { firstBlock } from '../native/input.ts';
import { fieldsOf, stringsOf, unescaped } from '../tsv/input.ts';

/** ClickHouse bounds a literal by max_query_size, but an operator may raise that setting. */
export const REQUEST_BYTES_MAX = 256 * 2 ** 20;

/** Number of String columns that `bigtrace schema` reads: all but the first column. */
export const SCHEMA_TEXTS = 5;

export interface SchemaInput {
  traces: Buffer[];
  sql: Buffer;
  queryId: string;
  user: string;
  lenient: boolean;
  /** Whether the query has already received its columns: then it gets the same ones again. */
  again: boolean;
}

export interface QueryInput extends Omit<SchemaInput, 'again'> {
  structure: string;
  /** Empty if it is unknown. */
  statement: string;
  /** For bigtrace_table: the table that lists the traces, and the traces used for column finding. */
  list?: { table: string; sample: Buffer[] };
}

/** The columns of a row. */
export interface RequestRow {
  traces: Buffer[];
  /** The String columns from column 2 on; the last is column 6, 7 or 8. */
  texts: Buffer[];
  /** Column 9. */
  sample?: Buffer[];
}

/** The most String columns, those between the two arrays of a row. */
const TEXTS_MAX = 7;

/** Reads the columns of a TSV row. @throws internal if an array is malformed */
export function rowOfTsv(line: Uint8Array): RequestRow {
  const [traces = new Uint8Array(), ...others] = fieldsOf(line);
  const texts = others.slice(0, TEXTS_MAX).map(unescaped);
  const [sample] = others.slice(TEXTS_MAX).map(stringsOf);
  return { traces: stringsOf(traces), texts, ...(sample === undefined ? {} : { sample }) };
}

/** Reads the columns of the only row of a Native block. @throws internal if it is malformed */
export function rowOfNative(bytes: Buffer): RequestRow {
  const [traces, ...others] = firstBlock(bytes).map((column) => column[0]);
  const sample = others[TEXTS_MAX];
  const strings = Array.isArray(sample) ? others.slice(0, TEXTS_MAX) : others;
  const texts = strings.filter((value) => Buffer.isBuffer(value));
  if (!Array.isArray(traces) || texts.length < strings.length)
    throw malformed('its columns are not traces and then texts');
  return { traces, texts, ...(Array.isArray(sample) ? { sample } : {}) };
}

/** Checks a row of `bigtrace schema`. @throws internal if columns are missing; no_sql, no_traces, invalid_option */
export function schemaInput(row: RequestRow): SchemaInput {
  const input = commonInput(row, [SCHEMA_TEXTS + 1]);
  if (input.traces.length === 0) throw noTraces();
  return { ...input, again: textOf(row.texts[4]) === 'again' };
}

/** Checks a row of `bigtrace query`. @throws as schemaInput; no_traces only without `moreTraces` */
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
    throw new BigtraceError('no_sql', 'sql is empty; pass the PerfettoSQL to run on each trace');
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

function malformed(problem: string): BigtraceError {
  return new BigtraceError('internal', `malformed request: ${problem}`);
}

function noTraces(): BigtraceError {
  return new BigtraceError(
    'no_traces',
    "traces is empty; pass addresses or patterns, such as ['/local/**']",
  );
}
