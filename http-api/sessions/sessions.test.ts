import { expect, test } from 'vitest';
import { definitionsIn } from './definitions.ts';
import {
  endingOf,
  isSummary,
  preludeOf,
  SCRIPTS_MAX,
  statementsToKeep,
  wholeScript,
  withOwnLines,
} from './kept.ts';

const T = 'CREATE PERFETTO TABLE t AS SELECT 1 AS a';
const V = 'CREATE PERFETTO VIEW v AS SELECT a FROM t';
const F = 'CREATE PERFETTO FUNCTION f(x LONG) RETURNS LONG AS SELECT $x + 1';

test.each<[string, string[]]>([
  ['SELECT 1', []],
  [`${T};\n SELECT * FROM t`, [T]],
  [
    'INCLUDE PERFETTO MODULE slices.with_context; SELECT 1',
    ['INCLUDE PERFETTO MODULE slices.with_context'],
  ],
  [
    '/* a; b */ create -- x;\n or replace\tperfetto macro m(a Expr) returns Expr as $a',
    ['create or replace perfetto macro m(a Expr) returns Expr as $a'],
  ],
  [
    'CREATE PERFETTO TABLE s AS SELECT \';\n--\' AS x, "a;b" FROM [c;d];',
    ['CREATE PERFETTO TABLE s AS SELECT \';\n--\' AS x, "a;b" FROM [c;d]'],
  ],
  ["SELECT 'CREATE PERFETTO TABLE t AS SELECT 1'", []],
  ['-- CREATE PERFETTO TABLE t AS SELECT 1;\nSELECT 1', []],
  ['DROP PERFETTO TABLE IF EXISTS T', ['DROP PERFETTO table t']],
  [`CREATE VIEW plain AS SELECT 1 AS a; ${T}; CREATE PERFETTO TABLE u AS SELECT * FROM Plain`, [T]],
  [
    `create temp table if not exists "p" AS SELECT 1 AS x; CREATE PERFETTO VIEW w AS SELECT x FROM p;
     CREATE PERFETTO TABLE z AS SELECT x FROM w; INCLUDE PERFETTO MODULE slices.flow`,
    ['INCLUDE PERFETTO MODULE slices.flow'],
  ],
  ['CREATE VIRTUAL TABLE s USING SPAN_JOIN(a, b); CREATE PERFETTO INDEX i ON s(ts)', []],
  ['CREATE PERFETTO INDEX i ON t(a)', ['CREATE PERFETTO INDEX i ON t(a)']],
])('the script %j defines %j', (sql, expected) => {
  expect(statementsToKeep(sql)).toEqual(expected);
});

test('what earlier scripts defined runs before a script', () => {
  const prelude = preludeOf([[T], [F]], 'SELECT\n f(a) FROM t');
  expect(prelude).toBe(`${T};\n${F};\n`);
  expect(wholeScript(prelude, 'SELECT 1', '')).toBe(`${T};\n${F};\nSELECT 1`);
  const comment = ' /*bigtrace: engine=v52 */';
  expect(wholeScript(prelude, `${comment} SELECT 1`, '')).toBe(
    `${comment}${T};\n${F};\n${comment} SELECT 1`,
  );
  expect(wholeScript('', 'SELECT 1', '')).toBe('SELECT 1');
});

test('errors have the lines of the script, or of the session', () => {
  const prelude = `${T};\n${F};\n`;
  const error = (file: string, line: number): string =>
    `[/local/a]: no such table: x; at File "${file}" line ${line} col 7; File "slices.flow" line 1`;
  const own = (line: number, sql = 'SELECT\n1', of = prelude): string =>
    withOwnLines(error('stdin', line), of, sql);
  expect(own(3)).toBe(error('stdin', 1));
  expect(own(4)).toBe(error('stdin', 2));
  expect(own(2)).toBe(error('session', 2));
  expect(own(5, '/*bigtrace:\n engine=v52 */SELECT 1')).toBe(error('stdin', 2));
  expect(own(3, 'SELECT 1', '')).toBe(error('stdin', 3));
});

test.each<[string, boolean]>([
  [T, true],
  [`${T};\n-- done`, true],
  ['SELECT 1; INCLUDE PERFETTO MODULE slices.flow ; ', true],
  ['DROP PERFETTO TABLE t', true],
  [`${T}; SELECT * FROM t`, false],
  [`${T}; CREATE TABLE plain(a)`, false],
  ['SELECT 1', false],
  ['', false],
])('whether a script only defines: %j', (sql, isSo) => {
  expect(endingOf(sql)).toBe(isSo ? '\n;SELECT NULL AS defined WHERE FALSE' : '');
});

test('a later definition of a name replaces the earlier one, and comes after what it mentions', () => {
  const newT = 'CREATE PERFETTO TABLE T AS SELECT a FROM u';
  const u = 'CREATE PERFETTO TABLE u AS SELECT 2 AS a';
  expect(preludeOf([[T], [V], [u], [newT]], 'SELECT * FROM v')).toBe(`${u};\n${newT};\n${V};\n`);
});

test('a script that defines a name itself runs without the earlier definition and what uses it', () => {
  expect(preludeOf([[T], [V], [F]], `${T}; SELECT a FROM t`)).toBe(`${F};\n`);
  expect(preludeOf([[T], [V], [F], ['DROP PERFETTO table t']], 'SELECT 1')).toBe(`${F};\n`);
  const module = 'INCLUDE PERFETTO MODULE t';
  expect(preludeOf([[module], [T]], `${module}; ${T}`)).toBe(`${module};\n`);
});

test('no definition is left out because an index has the name of its column', () => {
  const index = 'CREATE PERFETTO INDEX a ON t(a)';
  expect(preludeOf([[T], [V]], index)).toBe(`${T};\n${V};\n`);
  expect(preludeOf([[T], [V], [index]], index)).toBe(`${T};\n${V};\n`);
  expect(preludeOf([[T], [V], [index], ['DROP PERFETTO index a']], '')).toBe(`${T};\n${V};\n`);
});

test('what a script drops exists before it', () => {
  const index = 'CREATE PERFETTO INDEX i ON t(a)';
  const prelude = `${T};\n${index};\n`;
  expect(preludeOf([[T], [index]], 'DROP PERFETTO INDEX i ON t')).toBe(prelude);
  expect(preludeOf([[T], [index]], `DROP PERFETTO INDEX i ON t; ${index}`)).toBe(prelude);
});

test('two definitions that mention each other keep their order', () => {
  const a = 'CREATE PERFETTO TABLE a AS SELECT b FROM t';
  const b = 'CREATE PERFETTO TABLE b AS SELECT b FROM a';
  const ofB = 'CREATE PERFETTO VIEW c AS SELECT b FROM b';
  expect(preludeOf([[T], [a], [b]], 'SELECT 1')).toBe(`${T};\n${a};\n${b};\n`);
  expect(preludeOf([[T], [a], [b], [a]], 'SELECT 1')).toBe(`${T};\n${a};\n${b};\n`);
  expect(preludeOf([[ofB], [a], [T], [b]], 'SELECT 1')).toBe(`${T};\n${a};\n${b};\n${ofB};\n`);
});

test('a script whose session would keep too much is refused with the bound', () => {
  const table = (at: number): string => `CREATE PERFETTO TABLE t${at} AS SELECT 1`;
  const full = [Array.from({ length: 100 }, (_, at) => table(at))];
  expect(preludeOf(full, 'SELECT 1')).toContain('TABLE t99 ');
  expect(() => preludeOf(full, 'INCLUDE PERFETTO MODULE slices.flow')).toThrow('101 statements');
  expect(() => preludeOf(full, table(100))).toThrow(
    'the session would keep 101 statements, the bound is 100; POST /session/reset forgets them',
  );
  expect(() => preludeOf([[`${T}, '${'x'.repeat(70_000)}' AS b`]], F)).toThrow(
    /the session would keep 70\d+ bytes, the bound is 65536/,
  );
  expect(() => preludeOf([], 'x'.repeat(2 ** 20 + 1))).toThrow('the bound in a session is 1048576');
  expect(() => preludeOf(Array(SCRIPTS_MAX + 1).fill([T]), 'SELECT 1')).toThrow('1001 scripts');
});

test('of many definitions of one name, the latest is read', () => {
  const definition = (at: number): string =>
    `CREATE PERFETTO TABLE t AS SELECT ${'a.b + 1, '.repeat(6000)}${at} AS x`;
  const all = Array.from({ length: SCRIPTS_MAX }, (_, at) => [definition(at)]);
  expect(preludeOf(all, 'SELECT 1')).toBe(`${definition(SCRIPTS_MAX - 1)};\n`);
  const index = 'CREATE PERFETTO INDEX i ON t(a)';
  expect(preludeOf([[T], [index], ['DROP PERFETTO index i'], [index]], '')).toBe(
    `${T};\n${index};\n`,
  );
});

test('no SQL runs before the specification of a summary', () => {
  expect(isSummary('summarize  trace\nmetric_spec {}')).toBe(true);
  expect(isSummary('/*bigtrace: engine=v52 */ SUMMARIZE TRACE')).toBe(true);
  expect(isSummary('SELECT 1 -- SUMMARIZE TRACE')).toBe(false);
});

test.each(["'", '"', '[', '/*', "CREATE PERFETTO TABLE a AS SELECT '"])(
  'a script of 1 MB that repeats %j is read in linear time',
  (piece) => {
    const sql = `${piece.repeat(1_000_000 / piece.length)} perfetto`;
    expect(definitionsIn(sql).length).toBeLessThanOrEqual(1);
  },
);
