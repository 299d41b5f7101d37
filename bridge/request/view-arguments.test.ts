import { expect, test } from 'vitest';
import { checkArguments } from './view-arguments.ts';

test.each([
  "SELECT * FROM bigtrace(traces=['/local/**'], sql='SELECT 1')",
  "SELECT * FROM bigtrace.bigtrace_as(structure='a Int8', traces=[], sql='')",
  "SELECT x = 3 FROM t WHERE (on_failure = 'x', y = 1) IN (SELECT 1 FROM bigtrace(sql='', traces=[]))",
  "SELECT 'bigtrace(on_failure=1)', `bigtrace(on_failure=1)` -- bigtrace(on_failure=1)",
  "/* bigtrace(on_failure=1) */ SELECT 'it''s bigtrace(on_failure=\\'' # bigtrace(on_failure=1)",
  "SELECT * FROM bigtrace_table(table='t', sample=['a'], on_failure='strict', sql='')",
  "SELECT * FROM bigtrace(traces=arrayMap(x -> x = 'a', []), sql=concat('a', if(b = 1, 'c', 'd')))",
  "SELECT * FROM bigtrace(traces=['a'], sql=$$SELECT dur, name = 'it''s' AS x, (y = 1 FROM slice$$)",
  "SELECT * FROM bigtrace(traces=['a'], sql=$sql$SELECT '$$', other = 1 FROM slice$sql$)",
  "SELECT * FROM bigtrace(traces=['a'], sql=$$SELECT 1, other = 1", // the statement was cut
  'SELECT ((((',
  "SELECT '",
])('%s is taken', (statement) => {
  expect(() => checkArguments(statement)).not.toThrow();
});

test.each([
  [
    "SELECT * FROM bigtrace(traces=['a'], sql='b', on_failure='lenient')",
    'bigtrace has no argument on_failure: it has traces, sql; use bigtrace_lenient or bigtrace_where_lenient to continue when traces fail',
  ],
  [
    "SELECT * FROM `bigtrace`.\"bigtrace\"(`structure` = 'a', traces=['a'], sql='b')",
    'bigtrace has no argument structure: it has traces, sql; bigtrace_as has it',
  ],
  [
    "SELECT (SELECT 1 FROM bigtrace_where(filter='(', -- )\n sql='b', limit=3))",
    'bigtrace_where has no argument limit: it has filter, sql',
  ],
  [
    "SELECT $$ ' $$, * FROM bigtrace(traces=['a'], sql=$a$SELECT '$a$, limit=3)",
    'bigtrace has no argument limit: it has traces, sql',
  ],
])('%s is refused', (statement, message) => {
  expect(() => checkArguments(statement)).toThrow(message);
});

test('a statement with many escapes is read in linear time', () => {
  const statement = `SELECT bigtrace(traces=['${"\\'".repeat(30_000)}'], other=1)`;
  expect(() => checkArguments(statement)).toThrow('bigtrace has no argument other');
});

test('a literal of 16 MiB, and an unterminated literal or comment, are read in linear time', () => {
  const call = (sql: string): string =>
    `SELECT * FROM bigtrace(traces=['/local/a'], sql=${sql}, nope=1)`;
  for (const sql of [
    `'${'x'.repeat(16 << 20)}'`,
    `'${"''".repeat(8 << 20)}'`,
    `'${'\\x'.repeat(8 << 20)}'`,
  ])
    expect(() => checkArguments(call(sql))).toThrow('bigtrace has no argument nope');
  for (const endless of ["'", '`', '/*', '-- ', '"', '$', '$$', '$x$'])
    expect(() => checkArguments(`SELECT ${endless}${'x'.repeat(16 << 20)}`)).not.toThrow();
  expect(() => checkArguments('$'.repeat(1 << 20))).not.toThrow();
  expect(() => checkArguments('/*'.repeat(1 << 20))).not.toThrow();
});
