import { expect, it } from 'vitest';
import { declarationsOf } from './declarations.ts';

it('reads tables and views with the comments of their columns', () => {
  const sql = `-- Licensed under the Apache License

INCLUDE PERFETTO MODULE slices.flow;

-- All the slices, along with
-- their (first) threads.
--
-- Not for processes.
CREATE PERFETTO VIEW thread_slice(
  -- Slice, with a comma.
  id ID(slice.id),
  -- Alias for \`slice.ts\`.
  ts TIMESTAMP,
  name STRING
) AS SELECT 1;

CREATE PERFETTO TABLE plain AS
SELECT 2;

CREATE PERFETTO TABLE _internal(a LONG) AS SELECT 3;
CREATE OR REPLACE PERFETTO TABLE replaced(a LONG) AS SELECT 3;`;
  expect(declarationsOf(sql)).toEqual({
    table: [
      {
        ...{ name: 'thread_slice', isView: true },
        about: 'All the slices, along with their (first) threads.\n\nNot for processes.',
        column: [
          { name: 'id', type: 'ID', about: 'Slice, with a comma.' },
          { name: 'ts', type: 'TIMESTAMP', about: 'Alias for `slice.ts`.' },
          { name: 'name', type: 'STRING', about: '' },
        ],
      },
      { name: 'plain', isView: false, about: '', column: [] },
      {
        ...{ name: 'replaced', isView: false, about: '' },
        column: [{ name: 'a', type: 'LONG', about: '' }],
      },
    ],
    function: [],
  });
});

it('reads scalar functions, table functions and macros', () => {
  const sql = `-- Doubles.
CREATE PERFETTO FUNCTION twice(
  -- A number.
  value LONG)
-- The double.
RETURNS LONG AS SELECT 2 * $value;

CREATE PERFETTO FUNCTION pairs()
RETURNS TABLE(
  -- The first.
  a LONG, b STRING) AS SELECT 1, 'x';

CREATE PERFETTO MACRO cast_int(value Expr) RETURNS Expr AS CAST($value AS INT);`;
  expect(declarationsOf(sql).function).toEqual([
    {
      ...{ name: 'twice', kind: 'scalar', about: 'Doubles.', returns: 'LONG', column: [] },
      argument: [{ name: 'value', type: 'LONG', about: 'A number.' }],
    },
    {
      ...{ name: 'pairs', kind: 'table', about: '', returns: '', argument: [] },
      column: [
        { name: 'a', type: 'LONG', about: 'The first.' },
        { name: 'b', type: 'STRING', about: '' },
      ],
    },
    {
      ...{ name: 'cast_int', kind: 'macro', about: '', returns: 'Expr', column: [] },
      argument: [{ name: 'value', type: 'Expr', about: '' }],
    },
  ]);
});

it.each(['CREATE PERFETTO TABLE open(', 'CREATE PERFETTO FUNCTION f(a LONG', '--', ''])(
  'reads %j to its end',
  (sql) => {
    expect(() => declarationsOf(sql)).not.toThrow();
  },
);
