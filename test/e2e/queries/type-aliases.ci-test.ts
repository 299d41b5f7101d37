/** Checks that the bridge knows exactly the names that ClickHouse has for the types that the bridge writes. */
import { expect, test } from 'vitest';
import { TYPE_ALIASES } from '../../../bridge/columns/type-aliases.ts';
import { rowsOf, startTestEngine } from '../../../clickhouse/testing/engine.ts';

test('TYPE_ALIASES has the same names as system.data_type_families', async () => {
  await using t = await startTestEngine();
  const types = [...new Set(TYPE_ALIASES.values())];
  const rows = (await rowsOf(
    t.as('admin'),
    `SELECT upper(name), if(alias_to = '', name, alias_to) AS type, case_insensitive
     FROM system.data_type_families
     WHERE type IN (${types.map((type) => `'${type}'`).join(', ')}) AND (alias_to != '' OR case_insensitive)`,
  )) as [string, string, number][];
  expect(rows.filter(([, , isAnyCase]) => Number(isAnyCase) !== 1)).toEqual([]);
  const names = rows.map(([name, type]): [string, string] => [name, type]);
  expect(new Map(names.sort())).toEqual(new Map([...TYPE_ALIASES].sort()));
  expect(types).toHaveLength(12);
});
