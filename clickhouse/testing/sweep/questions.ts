/** Queries of a sweep: one per view, with a script that returns the same bytes each time. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rowsOf, type TestEngine } from '../engine.ts';
import type { Question } from './sweep.ts';

/** Columns of the rows, and one that the script computes from the request that it receives. */
const STRUCTURE =
  'i Nullable(Int64), d Nullable(Float64), s Nullable(String), b Bool, request String';

/** The structure as the bridge determines it: each type specifies whether it is Nullable. */
const FOUND = STRUCTURE.replace(/(Bool|request String)/g, '$1 NOT NULL');

const LIST = 'sweep_list';

/**
 * File name relative to the directory in which scripts start, so that the scripts have the same text in every engine.
 */
const ROWS_FILE = 'sweep-rows';
const METRICS_FILE = 'sweep-metrics';

/** Returns a query for each view and table that users read. Creates the data that they read, as `admin`. */
export async function makeQuestions(t: TestEngine): Promise<Question[]> {
  writeFileSync(join(t.scratch, ROWS_FILE), ROWS);
  writeFileSync(join(t.scratch, METRICS_FILE), METRICS);
  const admin = t.as('admin');
  for (const query of [
    `CREATE TABLE bigtrace.${LIST} (address String) ENGINE = MergeTree ORDER BY address`,
    `INSERT INTO bigtrace.${LIST} VALUES ('/local/a'), ('/local/b')`,
    "INSERT INTO bigtrace.trace_catalog (address, size, duration, device) VALUES ('/local/a', 7, 9223372036854775807, NULL), ('/local/b', 8, NULL, 'x')",
  ])
    await admin.command({ query });
  const questions = sourcesOf().map(([name, source]) => ({
    name,
    query: `SELECT * FROM ${source}`,
    twin: `SELECT * FROM sweep_twin_${name}`,
  }));
  for (const { name, query } of questions) {
    await admin.command({
      query: `CREATE TABLE bigtrace.sweep_twin_${name} ENGINE = Memory AS ${query}`,
    });
    if ((await rowsOf(admin, `SELECT * FROM sweep_twin_${name} LIMIT 1`)).length === 0)
      throw new Error(`${name} has no row: nothing would be swept`);
  }
  return questions;
}

function sourcesOf(): [name: string, source: string][] {
  const traces = "traces=['/local/a', '/local/b\\\\t']";
  const structure = `structure='${STRUCTURE}'`;
  const sql = literal(`@${FOUND};;${commands()}`);
  const summary = literal(`;;cat ../data/${METRICS_FILE}; end`);
  const list = `table='${LIST}', on_failure='lenient'`;
  return [
    ...['bigtrace', 'bigtrace_lenient', 'bigtrace_answers'].flatMap((view): [string, string][] => [
      [view, `${view}(${traces}, sql=${sql})`],
      [`${view}_as`, `${view}_as(${structure}, ${traces}, sql=${sql})`],
    ]),
    ...['bigtrace_where', 'bigtrace_where_lenient'].flatMap((view): [string, string][] => [
      [view, `${view}(filter='size > 1', sql=${sql})`],
      [`${view}_as`, `${view}_as(${structure}, filter='size > 1', sql=${sql})`],
    ]),
    ['bigtrace_table', `bigtrace_table(${list}, sample=['/local/a'], sql=${sql})`],
    ['bigtrace_table_as', `bigtrace_table_as(${structure}, ${list}, sql=${sql})`],
    ['bigtrace_summary', `bigtrace_summary(${traces}, spec=${summary})`],
    ...['failures', 'progress', 'traces'].map((name): [string, string] => [name, name]),
  ];
}

/** Commands that return the rows of the file, and one row with a digest of the request and of the additional traces. */
function commands(): string {
  return [
    `cat ../data/${ROWS_FILE}`,
    // The digest excludes the query ID, the user and the statement, which differ from query to query. The brackets
    // prevent this text itself from matching.
    `before=\${request%%?query_i[d]?String*} after=\${request#*on_failur[e]?String}`,
    `sum=$(printf %s "$before" "\${after%%?statemen[t]?String*}" | cksum)`,
    '{ [ "$4" = --traces-fd ] && sum="$sum $(cksum <&3)"; } 2>/dev/null',
    `printf '\\001\\003_hb\\005UInt8\\001\\001\\001\\007request\\006String'`,
    'text "$sum"',
    "printf '\\001'",
    'end',
  ].join('; ');
}

function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** Values at the limits of their types, and texts that other formats would have to escape. */
const INTEGERS = [9223372036854775807n, -9223372036854775808n, null];
const DOUBLES = [1e300, Number.POSITIVE_INFINITY, null];
const TEXTS = ["tab\t'quote\\", '\xff\xfe\0', null];

const ADDRESS = column('_trace_address', 'LowCardinality(String)', [
  longs(1n, 0x601n, 2n),
  ...['/local/a', '/local/b\t'].map(counted),
  longs(3n),
  Buffer.of(0, 0, 1, 0, 1, 0),
]);
const FLOATS = [nullsOf(DOUBLES), Buffer.from(new Float64Array(DOUBLES.map(Number)).buffer)];

const ROWS = block([
  ADDRESS,
  column('i', 'Nullable(Int64)', [nullsOf(INTEGERS), longs(...INTEGERS.map((n) => n ?? 0n))]),
  column('d', 'Nullable(Float64)', FLOATS),
  column('s', 'Nullable(String)', [nullsOf(TEXTS), ...TEXTS.map((text) => counted(text ?? ''))]),
  column('b', 'Bool', [Buffer.of(1, 0, 1)]),
]);

const METRICS = block([
  ADDRESS,
  column('metric_id', 'String', ['a', 'b', ''].map(counted)),
  column('dimensions', 'String', ['{"n":1}', '{}', ''].map(counted)),
  column('value', 'Nullable(Float64)', FLOATS),
]);

/** Three rows in the format of bridge/native/rows.ts, after a heartbeat block and before the first byte of the next. */
function block(columns: readonly Buffer[]): Buffer {
  const beat = Buffer.from('\x01\x03_hb\x05UInt8\x01', 'latin1');
  return Buffer.concat([beat, Buffer.of(columns.length, 3), ...columns, Buffer.of(1)]);
}

function column(name: string, type: string, values: Buffer[]): Buffer {
  return Buffer.concat([counted(name), counted(type), ...values]);
}

function counted(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'latin1')]);
}

function longs(...values: bigint[]): Buffer {
  return Buffer.from(new BigInt64Array(values).buffer);
}

function nullsOf(values: readonly unknown[]): Buffer {
  return Buffer.from(values.map((value) => (value === null ? 1 : 0)));
}
