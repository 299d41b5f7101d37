import { expect, test } from 'vitest';
import { mayInclude, scriptTraits } from './script-traits.ts';
import { sqlTokens } from './sql-tokens.ts';

function traits(sql: string) {
  return scriptTraits(Buffer.from(sql, 'latin1'));
}

test('sqlTokens splits SQL as SQLite does', () => {
  const tokens = [
    ...sqlTokens(
      Buffer.from(`SELECT "a""b", 'it''s; /*', [x y] -- ; 'no\n/* "; */, x'0f', 1e-5!=t.Größe;`),
    ),
  ];
  expect(tokens.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    'word select',
    'quoted a"b',
    'symbol ,',
    "string it's; /*",
    'symbol ,',
    'quoted x y',
    'symbol ,',
    "number x'0f'",
    'symbol ,',
    'number 1e',
    'symbol -',
    'number 5',
    'symbol !=',
    'word t',
    'symbol .',
    `word ${Buffer.from('Größe').toString('latin1').toLowerCase()}`,
    'symbol ;',
  ]);
});

test.each([
  'SELECT 1',
  'select name, sum(dur) from slice group by (name) having count(*) > 1 order by 2 limit 3;',
  'WITH RECURSIVE r(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM r LIMIT 10) SELECT x FROM r',
  'WITH a AS (SELECT 1), b(y, z) AS NOT MATERIALIZED (SELECT 1, 2) SELECT * FROM a, b',
  'VALUES (1), (2)',
  '; ;SELECT 1;; SELECT (2) -- the end',
  "SELECT replace(name, 'create_function(', '') FROM slice WHERE id IN (1, 2) AND NOT EXISTS (SELECT 1)",
  'SELECT lag(ts) OVER (PARTITION BY utid ORDER BY ts), count(*) FILTER (WHERE dur > 0) FROM sched',
  'SELECT s.name FROM ancestor_slice(5) AS s JOIN args USING (arg_set_id)',
  "SELECT \"Max\"(1, 2), CAST(dur AS TEXT), 'PRAGMA x; INSERT', dur/1e6, x'00' FROM slice",
  'SELECT CASE WHEN (1) THEN (2) ELSE (3) END /* DELETE */',
])('mutates no state: %s', (sql) => {
  expect(traits(sql)).toEqual({
    mutatesState: false,
    readsQueryHistory: false,
    deterministic: true,
  });
});

test.each([
  'CREATE PERFETTO TABLE x AS SELECT 1',
  'SELECT 1; DROP TABLE x',
  'INCLUDE PERFETTO MODULE slices.with_context',
  'PRAGMA user_version',
  'EXPLAIN SELECT 1',
  'WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x',
  'WITH x AS (SELECT 1) REPLACE INTO t SELECT * FROM x',
  'WITH x AS (SELECT 1) DELETE FROM t',
  "SELECT create_function('f()', 'INT', 'SELECT 1')",
  "SELECT CREATE_FUNCTION /* ( */ ('f()', 'INT', 'SELECT 1')",
  'SELECT "create_function"(1, 2, 3)',
  'SELECT [import](1), `run_metric`(2)',
  "SELECT * FROM 'pragma_user_version'('main')",
  'SELECT * FROM pragma_wal_checkpoint',
  'SELECT * FROM "__intrinsic_slice"',
  'SELECT some_function_of_tomorrow(1)',
  'SELECT m!(1)',
  "SELECT 'open",
  'SELECT 1 /* open',
  'SELECT $x, ?1, :y',
  'SELECT 1 -- \r DROP TABLE x',
  'SELECT 1 \0; DROP TABLE x',
  '(SELECT 1)',
])('may mutate state: %s', (sql) => {
  expect(traits(sql).mutatesState).toBe(true);
});

test.each([
  'SELECT query FROM sqlstats',
  'SELECT * FROM "SqlStats"',
  'SELECT total_changes()',
  'SELECT last_insert_rowid()',
])('reads the query history: %s', (sql) => {
  expect(traits(sql).readsQueryHistory).toBe(true);
  expect(traits(sql).deterministic).toBe(false);
});

test.each([
  'SELECT random()',
  'SELECT "RANDOM"()',
  'SELECT hex(RandomBlob(4))',
  'SELECT current_timestamp',
  "SELECT datetime('now')",
  'SELECT strftime()',
  'SELECT date(name) FROM slice',
  "SELECT create_function('f()', 'INT', 'SELECT random()')",
  'CREATE PERFETTO FUNCTION f() RETURNS INT AS SELECT random(); SELECT f()',
])('is not deterministic: %s', (sql) => {
  expect(traits(sql).deterministic).toBe(false);
});

test.each([
  "SELECT datetime(ts / 1e9, 'unixepoch'), date(max(1, 2), 'UnixEpoch', 'start of day') FROM sched",
  'INCLUDE PERFETTO MODULE slices.with_context; SELECT ts AS date, time FROM thread_slice',
  'CREATE PERFETTO TABLE x AS SELECT 1; SELECT * FROM x',
])('is deterministic: %s', (sql) => {
  expect(traits(sql)).toMatchObject({ deterministic: true, readsQueryHistory: false });
});

test.each([
  ['bytes', `SELECT 1 ${' '.repeat(1 << 20)}`],
  ['tokens', `SELECT 1${';'.repeat(100_000)}`],
])('a script of too many %s is not analyzed and has the safe traits', (_, script) => {
  const sql = Buffer.from(script);
  expect(scriptTraits(sql)).toEqual({
    ...{ mutatesState: true, readsQueryHistory: true, deterministic: false },
  });
  expect(mayInclude(sql)).toBe(true);
});
