/** Queries of a sweep: one per view, with a script that returns the same bytes each time. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { literal } from '../../../lib/common/text/sql-literal.ts';
import { queryViews } from '../../views/query-views.mjs';
import { rowsOf, type TestEngine } from '../engine.ts';
import { DATA_FILES, type Kind } from './rows.ts';
import type { SweepQuery } from './sweep.ts';

/** Columns of the rows, and one that the script computes from the request that it receives. */
const STRUCTURE =
  'i Nullable(Int64), d Nullable(Float64), s Nullable(String), b Bool, request String';

/** The structure as the bridge determines it: each type specifies whether it is Nullable. */
const FOUND = STRUCTURE.replace(/(Bool|request String)/g, '$1 NOT NULL');

const LIST = 'sweep_list';

/** Formats of the bridge, each with the prefix of the views that use it. */
const FORMATS = [
  { format: 'Native', prefix: '' },
  { format: 'CustomSeparated', prefix: 'text_' },
] as const;

type Format = (typeof FORMATS)[number]['format'];

/** Returns a query for each view and table that users read. Creates the data that they read, as `admin`. */
export async function makeQueries(t: TestEngine): Promise<SweepQuery[]> {
  for (const { name, bytes } of DATA_FILES) writeFileSync(join(t.scratch, name), bytes);
  const admin = t.as('admin');
  const views = FORMATS.slice(1).flatMap((format) => queryViews(format));
  for (const query of [
    ...views.map(([, statement]) => statement),
    `CREATE TABLE bigtrace.${LIST} (address String) ENGINE = MergeTree ORDER BY address`,
    `INSERT INTO bigtrace.${LIST} VALUES ('/local/a'), ('/local/b')`,
    "INSERT INTO bigtrace.trace_catalog (address, size, duration, device) VALUES ('/local/a', 7, 9223372036854775807, NULL), ('/local/b', 8, NULL, 'x')",
  ])
    await admin.command({ query });
  const queries = sourcesOf().map(([name, source]) => ({
    name,
    query: `SELECT * FROM ${source}`,
    twin: `SELECT * FROM sweep_twin_${name}`,
  }));
  for (const { name, query } of queries) {
    await admin.command({
      query: `CREATE TABLE bigtrace.sweep_twin_${name} ENGINE = Memory AS ${query}`,
    });
    if ((await rowsOf(admin, `SELECT * FROM sweep_twin_${name} LIMIT 1`)).length === 0)
      throw new Error(`${name} has no row: nothing would be swept`);
  }
  return queries;
}

function sourcesOf(): [name: string, source: string][] {
  return [
    ...FORMATS.flatMap(({ format, prefix }) =>
      callsOf(format).map(([name, args]): [string, string] => [
        `${prefix}${name}`,
        `${prefix}${name}(${args})`,
      ]),
    ),
    ...['failures', 'progress', 'traces'].map((name): [string, string] => [name, name]),
  ];
}

/** Each view with its arguments. */
function callsOf(format: Format): [view: string, args: string][] {
  const traces = "traces=['/local/a', '/local/b\\\\t']";
  const structure = `structure='${STRUCTURE}'`;
  const sql = `sql=${literal(`@${FOUND};;${commands(format)}`)}`;
  const summary = literal(`;;${read('metrics', format)}; end`);
  const list = `table='${LIST}', on_failure='lenient'`;
  const filter = "filter='size > 1'";
  return [
    ...['bigtrace', 'bigtrace_lenient', 'bigtrace_answers'].flatMap((view): [string, string][] => [
      [view, `${traces}, ${sql}`],
      [`${view}_as`, `${structure}, ${traces}, ${sql}`],
    ]),
    ...['bigtrace_where', 'bigtrace_where_lenient'].flatMap((view): [string, string][] => [
      [view, `${filter}, ${sql}`],
      [`${view}_as`, `${structure}, ${filter}, ${sql}`],
    ]),
    ['bigtrace_table', `${list}, sample=['/local/a'], ${sql}`],
    ['bigtrace_table_as', `${structure}, ${list}, ${sql}`],
    ['bigtrace_summary', `${traces}, spec=${summary}`],
  ];
}

function read(kind: Kind, format: Format): string {
  const file = DATA_FILES.find((one) => one.kind === kind && one.format === format);
  return `cat ../data/${file?.name}`;
}

const DIGESTS: Record<Format, string> = {
  // The brackets prevent this text itself from matching.
  Native: `before=\${request%%?query_i[d]?String*} after=\${request#*on_failur[e]?String}
sum=$(printf %s "$before" "\${after%%?statemen[t]?String*}" | cksum)`,
  CustomSeparated: `sum=$(printf %s "$request" | cut -f1,2,5,6,8- | cksum)`,
};

const LAST_ROWS: Record<Format, string> = {
  Native: `printf '\\001\\003_hb\\005UInt8\\001\\001\\001\\007request\\006String'; text "$sum"; printf '\\001'`,
  // Without single quotes, which the stand-in does not unescape.
  CustomSeparated: String.raw`printf "0\t\t%s\t%s\t%s\tfalse\t%s\n" "\N" "\N" "\N" "$sum"`,
};

/**
 * Commands that return the rows of the file, and one row with a digest of the request and of the additional traces. The
 * digest excludes the query ID, the user and the statement, which differ from query to query.
 */
function commands(format: Format): string {
  return [
    read('rows', format),
    DIGESTS[format],
    `{ [ "$4" = --traces-fd ] && sum="$sum $(cksum <&3)"; } 2>/dev/null`,
    LAST_ROWS[format],
    'end',
  ].join('\n');
}
