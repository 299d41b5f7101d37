/**
 * Cases for tests of column types. Column finding samples four of the eight traces of the fleet `late` at first, but not
 * the last one, which alone has the slice `rare` with its arguments. The fleet `rare` has more traces than column finding
 * ever samples, and only its last one has an argument. The traces of the fleet `empty` have no slice.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LATE_TRACES = 8;
const RARE_TRACES = 129;

export function writeTypeFleets(directory: string): void {
  const write = (path: string, events: string): void =>
    writeFileSync(join(directory, path), `{"traceEvents":[${events}]}`);
  const slice = (name: string, durUs: number, args = '{}'): string =>
    `{"ph":"X","name":"${name}","pid":1,"tid":1,"ts":1,"dur":${durUs},"args":${args}}`;
  for (const fleet of ['late', 'rare', 'empty', 'few']) mkdirSync(join(directory, fleet));
  for (let at = 1; at < LATE_TRACES; at++) write(`late/t${at}`, slice('a', 10, `{"m":${at}}`));
  const args = `{"i":9223372036854775807,"d":2.75,"s":"needle in hay","m":2.75}`;
  write(`late/t${LATE_TRACES}`, slice('rare', 777, args));
  for (let at = 1; at < RARE_TRACES; at++) write(`rare/t${1000 + at}`, slice('a', 10));
  write(`rare/t${1000 + RARE_TRACES}`, slice('rare', 777, '{"s":"needle in hay"}'));
  for (const name of ['a', 'b', 'c']) write(`empty/${name}`, '');
  for (const name of ['a', 'b']) write(`few/${name}`, slice(name, 10));
}

const arg = (name: string): string => `extract_arg(arg_set_id, 'args.${name}')`;

export interface TypeCase {
  about: string;
  /** The script. */
  sql: string;
  /** What the statement selects from the view. */
  select: string;
  fleet?: 'empty' | 'few';
  rows: unknown[][];
}

const none = "FROM slice WHERE name = 'none'";
const rare = "FROM slice WHERE name = 'rare'";
const NUMBERS = 'sum(v), max(v), quantile(0.5)(v), count(v)';
const NO_NUMBERS = [[null, null, null, '0']];

/** Columns whose type column finding must know although no sampled trace has a value. */
export const TYPE_CASES: TypeCase[] = [
  {
    about: 'rows of one trace only',
    sql: `SELECT dur AS v ${rare}`,
    select: NUMBERS,
    rows: [['777000', '777000', 777000, '1']],
  },
  { about: 'no row at all', sql: `SELECT dur AS v ${none}`, select: NUMBERS, rows: NO_NUMBERS },
  {
    about: 'no row of an empty fleet',
    sql: 'SELECT dur AS v FROM slice',
    select: NUMBERS,
    fleet: 'empty',
    rows: NO_NUMBERS,
  },
  {
    about: 'an aggregate of an empty fleet',
    sql: 'SELECT max(dur) AS v FROM slice',
    select: NUMBERS,
    fleet: 'empty',
    rows: NO_NUMBERS,
  },
  { about: 'NULL alone', sql: 'SELECT NULL AS v', select: NUMBERS, fleet: 'few', rows: NO_NUMBERS },
  {
    about: 'an argument that no trace has',
    sql: `SELECT ${arg('none')} AS v FROM slice`,
    select: NUMBERS,
    fleet: 'few',
    rows: NO_NUMBERS,
  },
  {
    about: 'UNION ALL',
    sql: `SELECT dur AS v ${none} UNION ALL SELECT dur ${rare}`,
    select: 'sum(v)',
    rows: [['777000']],
  },
  {
    about: 'a CTE',
    sql: `WITH c AS (SELECT dur AS v ${rare}) SELECT v FROM c`,
    select: 'sum(v)',
    rows: [['777000']],
  },
  {
    about: 'a window function',
    sql: `SELECT max(dur) OVER (ORDER BY ts) AS v ${rare}`,
    select: 'sum(v)',
    rows: [['777000']],
  },
  { about: 'a quotient', sql: `SELECT dur / 2e3 AS v ${rare}`, select: 'sum(v)', rows: [[388.5]] },
  {
    about: 'GROUP BY',
    sql: `SELECT name, avg(dur) AS v ${rare} GROUP BY name`,
    select: "sum(v), countIf(name LIKE 'ra%')",
    rows: [[777000, '1']],
  },
  {
    about: 'the view of a module',
    sql: `INCLUDE PERFETTO MODULE slices.with_context; SELECT dur AS v, thread_name FROM thread_slice WHERE name = 'rare'`,
    select: `sum(v), countIf(thread_name LIKE '%x%')`,
    rows: [['777000', '0']],
  },
  {
    about: 'a PERFETTO TABLE',
    sql: `CREATE PERFETTO TABLE p AS SELECT dur AS v, name ${none}; SELECT * FROM p`,
    select: `sum(v), countIf(name LIKE '%x%')`,
    fleet: 'few',
    rows: [[null, '0']],
  },
  {
    about: 'a PERFETTO VIEW without rows',
    sql: 'CREATE PERFETTO VIEW p AS SELECT dur AS v FROM slice WHERE 0; SELECT v FROM p',
    select: NUMBERS,
    fleet: 'few',
    rows: NO_NUMBERS,
  },
  {
    about: 'a PERFETTO FUNCTION',
    sql: `CREATE PERFETTO FUNCTION f(x LONG) RETURNS TABLE(v LONG, s STRING, r DOUBLE) AS
      SELECT dur AS v, name AS s, dur * 0.5 AS r FROM slice WHERE dur = $x; SELECT * FROM f(777000)`,
    select: `sum(v), max(s), sum(r), countIf(s LIKE 'r%')`,
    rows: [['777000', 'rare', 388500, '1']],
  },
  {
    about: 'CAST to text',
    sql: `SELECT CAST(dur AS TEXT) AS v ${rare}`,
    select: "max(v), countIf(v LIKE '777%')",
    rows: [['777000', '1']],
  },
  {
    about: 'CAST to a number',
    sql: `SELECT CAST(${arg('d')} AS REAL) AS v ${rare}`,
    select: 'sum(v)',
    rows: [[2.75]],
  },
  {
    about: 'the table args',
    sql: `SELECT string_value AS s, int_value AS i, real_value AS d FROM args WHERE key GLOB 'args.[ids]'`,
    select: "countIf(s LIKE 'needle%'), max(i), sum(d)",
    rows: [['1', '9223372036854775807', 2.75]],
  },
  {
    about: 'an integer that only the last trace has',
    sql: `SELECT ${arg('i')} AS v FROM slice`,
    select: 'max(v), count(v)',
    rows: [['9223372036854775807', '1']],
  },
  {
    about: 'json_each of numbers',
    sql: `SELECT value AS v FROM json_each('[1, 2.5]')`,
    select: 'sum(v)',
    fleet: 'few',
    rows: [[7]],
  },
  {
    about: 'json_each of nothing',
    sql: `SELECT value AS v FROM json_each('[]')`,
    select: NUMBERS,
    fleet: 'few',
    rows: NO_NUMBERS,
  },
  {
    about: 'comparisons',
    sql: `SELECT dur > 5 AS v, name IS NULL AS w FROM slice`,
    select: 'sum(v), sum(w)',
    fleet: 'few',
    rows: [['2', '0']],
  },
  {
    about: 'integers beyond 2^53',
    sql: 'SELECT 9007199254740993 AS v UNION ALL SELECT -9223372036854775807 - 1',
    select: 'max(v), min(v)',
    fleet: 'few',
    rows: [['9007199254740993', '-9223372036854775808']],
  },
  {
    about: 'bytes',
    sql: "SELECT x'00ff27' AS v UNION ALL SELECT NULL",
    select: 'hex(max(v)), count(v)',
    fleet: 'few',
    rows: [['00FF27', '2']],
  },
  {
    about: 'bytes beside text',
    sql: "SELECT x'00' AS v UNION ALL SELECT 'é'",
    select: 'hex(max(v)), hex(min(v))',
    fleet: 'few',
    rows: [['C3A9', '00']],
  },
  {
    about: 'infinities',
    sql: 'SELECT 9e999 AS v UNION ALL SELECT -9e999',
    select: 'max(v) = inf, min(v) = -inf',
    fleet: 'few',
    rows: [[1, 1]],
  },
];

/** Values that no found type holds, and what the error says. A second query has the same error. */
export const MISFITS: [about: string, sql: string, message: RegExp][] = [
  [
    'a number beside text',
    `SELECT value AS v FROM json_each('[1, "x"]')`,
    /structure='v Nullable\(String\)'/,
  ],
  [
    'a double beside an integer beyond 2^53',
    'SELECT 1.5 AS v UNION ALL SELECT 9007199254740993',
    /cannot hold integer 9007199254740993; .*structure='v Nullable\(String\)'/,
  ],
  [
    'bytes beside a number',
    "SELECT x'00' AS v UNION ALL SELECT 7",
    /structure='v Nullable\(String\)'/,
  ],
];

/** An integer in every trace but the last of the fleet `late`, where it is a double. */
export const MIXED_NUMBER = `SELECT ${arg('m')} AS v FROM slice`;

/** Values that no sampled trace has: the first query fails and names them, the second has the type. */
export const LATE_VALUES: {
  about: string;
  fleet: 'late' | 'rare';
  sql: string;
  message: RegExp;
  select: string;
  row: unknown[];
}[] = [
  {
    about: 'a double',
    fleet: 'late',
    sql: MIXED_NUMBER,
    message:
      /t8\].*column v .* cannot hold number 2\.75.*run the query again.*structure='v Nullable\(Float64\)'/s,
    select: 'sum(v)',
    row: [30.75],
  },
  {
    about: 'a text',
    fleet: 'rare',
    sql: `SELECT ${arg('s')} AS v FROM slice`,
    message:
      /t1129\].*column v .* cannot hold text 'needle in hay'.*run the query again.*structure='v Nullable\(String\)'/s,
    select: "countIf(v LIKE 'needle%')",
    row: ['1'],
  },
];
