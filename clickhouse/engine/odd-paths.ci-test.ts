import { expect, test } from 'vitest';
import { call, rowsOf, startTestEngine } from '../testing/engine.ts';

/** Characters with a special meaning in XML, patterns, shells, SQL, URLs and format strings. */
const ODD = `R&D <x> &amp; ]]> a[b] {c,d} *? do$lar $(id) 'q' "d" \`t\` ; | ~ ! # %41 %s : = () ☃ tab\t line\nend`;

test.each([
  ['the data', { data: `${ODD} back\\slash` }],
  ['the build', { dist: ODD }], // without a backslash, because Node cannot load modules from such a path
])('%s may be in a directory with any name', async (_, below) => {
  await using t = await startTestEngine(below);
  const query = call('a Nullable(Int64)', 'row /local/a a=1; end');
  expect(await rowsOf(t.as('analyst'), `SELECT * FROM ${query}`)).toEqual([['/local/a', '1']]);
  await t
    .as('admin')
    .command({ query: 'CREATE TABLE kept ENGINE = MergeTree ORDER BY n AS SELECT 1 AS n' });
  await t.restart();
  expect(await rowsOf(t.as('admin'), 'SELECT n FROM kept')).toEqual([[1]]);
});
