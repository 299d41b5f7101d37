import { beforeAll, expect, test } from 'vitest';
import type { Engine } from '../index.ts';
import { TraceProcessor } from '../index.ts';
import { testEngine } from '../testing.ts';
import { possibleKinds } from './index.ts';

let engine: Engine;
let processor: TraceProcessor;

beforeAll(async () => {
  engine = await testEngine();
  processor = new TraceProcessor(engine);
});

/** Returns the kinds of each column as letters: NULL, INT, REAL, TEXT, BLOB as N, I, R, T, B; `?` for any. */
function kinds(sql: string): string | undefined {
  processor.reset();
  processor.finalize();
  const inferred = possibleKinds(processor, Buffer.from(sql));
  const letters = (bits: number): string =>
    bits === 62 ? '?' : [...'..NIRTB'].filter((_, at) => at > 0 && bits & (1 << (at - 1))).join('');
  return inferred?.map(letters).join(' ');
}

test.each([
  ['SELECT dur, name, ts FROM slice', 'NI NT NI'],
  ['SELECT value FROM counter', 'NR'],
  ['SELECT dur FROM slice UNION ALL SELECT value FROM counter', 'NIR'],
  ['SELECT dur AS x FROM slice UNION SELECT name FROM slice ORDER BY 1', 'NIT'],
  ['SELECT x FROM (SELECT dur AS x FROM slice EXCEPT SELECT ts FROM slice) LIMIT 3', 'NI'],
  ["VALUES (1, 'a', 2.5, NULL, x'00')", 'I T R N B'],
  [
    'SELECT count(*), sum(dur), avg(dur), max(name), total(dur), group_concat(name) FROM slice',
    'NI NI NR NT NR NT',
  ],
  ['SELECT name, sum(dur)/1e6, min(dur) FROM slice GROUP BY name ORDER BY 2 DESC', 'NT NR NI'],
  [
    'SELECT CASE WHEN id > 3 THEN name END, CASE WHEN dur > 9 THEN 1 ELSE 0.5 END FROM slice',
    'NT IR',
  ],
  [
    'SELECT CAST(dur AS TEXT), CAST(name AS INT), CAST(dur AS DOUBLE) / 3, dur % 7 FROM slice',
    'NT NI NR NI',
  ],
  [
    "SELECT name || 'x', upper(name), length(name), dur + 1, dur * 1.5, dur = 3 FROM slice",
    'NT NT NI NI NR NI',
  ],
  [
    'SELECT a.name, b.value, IFNULL(b.value, 0), NULLIF(a.dur, 0) FROM slice a LEFT JOIN counter b USING (id)',
    'NT NR NIR NI',
  ],
  [
    'SELECT DISTINCT name, (SELECT max(ts) FROM sched), EXISTS (SELECT 1 FROM slice), NULL FROM slice',
    'NT NI I N',
  ],
  [
    "WITH RECURSIVE r(n, s) AS (SELECT 1, 'a' UNION ALL SELECT n + 1, s || 'b' FROM r WHERE n < 9) SELECT n, s FROM r",
    'NI NT',
  ],
  [
    'SELECT lag(dur) OVER w, row_number() OVER w, sum(dur) OVER w, first_value(name) OVER w FROM slice WINDOW w AS (PARTITION BY track_id ORDER BY ts)',
    'NI NI NI NT',
  ],
  [
    'SELECT * FROM (SELECT name, dur FROM slice ORDER BY dur LIMIT 5) WHERE name IN (SELECT name FROM slice)',
    'NT NI',
  ],
  ['SELECT id FROM ancestor_slice(3)', 'NI'],
  ['SELECT key, string_value, int_value, real_value, display_value FROM args', 'NT NT NI NR NT'],
  ['SELECT name, value FROM stats', 'NT NI'],
  ["SELECT extract_arg(arg_set_id, 'x'), json_extract('1', '$') FROM slice", '? ?'],
  [
    'INCLUDE PERFETTO MODULE slices.with_context; SELECT dur, thread_name, utid FROM thread_slice',
    'NI NT NI',
  ],
  [
    'INCLUDE PERFETTO MODULE chrome.page_loads; SELECT url, navigation_start_ts FROM chrome_page_loads',
    'NT NI',
  ],
  [
    'CREATE PERFETTO TABLE t AS SELECT name, value, dur * 1.0 AS d FROM slice, counter; SELECT * FROM t',
    'NT NR NR',
  ],
  [
    'CREATE OR REPLACE PERFETTO TABLE T(a STRING, b LONG) AS SELECT name AS a, dur AS b FROM slice; SELECT * FROM t',
    'NT NI',
  ],
  ['CREATE TABLE t AS SELECT 1 AS a; SELECT a FROM t', '?'],
  [
    "CREATE PERFETTO FUNCTION f(a LONG) RETURNS TABLE(a LONG, b STRING) AS SELECT 1 AS a, 'x' AS b; SELECT a, b FROM f(3)",
    'NI NT',
  ],
  ['CREATE PERFETTO FUNCTION f(a LONG) RETURNS LONG AS SELECT $a; SELECT f(3)', '?'],
  [
    'CREATE PERFETTO MACRO m(x Expr) RETURNS Expr AS $x + 1; SELECT m!(2), m!(dur) FROM slice',
    'I NI',
  ],
  [
    'CREATE PERFETTO VIEW v AS SELECT dur AS x FROM slice UNION ALL SELECT value FROM counter; SELECT x FROM v; -- end',
    'NIR',
  ],
])('%s may return cells of the kinds %s', (sql, expected) => {
  expect(kinds(sql)).toBe(expected);
});

test.each([
  ['INCLUDE PERFETTO MODULE slices.with_context'],
  ['SELECT nothing FROM nowhere'],
  ["SELECT 'open"],
  [' -- nothing'],
])('possibleKinds returns undefined for %s', (sql) => {
  expect(kinds(sql)).toBeUndefined();
});

test('possibleKinds throws the error of a script that fails without a trace', () => {
  expect(() => kinds('SELECT * FROM nowhere; SELECT 1')).toThrow('no such table: nowhere');
});
