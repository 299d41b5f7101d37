import { expect, test } from 'vitest';
import { CatalogFilters } from './catalog-filters.ts';
import { expressionSize, LISTED_MAX, PARTS_MAX } from './expression-size.ts';

test.each([
  ['size > 0', 3, 0],
  ["address in ('a', 'b''c', 'd\\'e')", 4, 3],
  ['size IN (-1, 2e9) AND has([1, 2], size)', 12, 4],
  ['size IN (1, size)', 6, 0],
  ['greatest(1, 2)', 6, 0],
  ['size - 1 IN (1', 6, 0],
  ['`a``b` = "c\\"d" -- all', 3, 0],
  ['1 /* OR 1 */ OR 1', 3, 0],
  ['(a, b) IN ((1, 2), (3, 4))', 19, 0],
])('%s has %i parts and %i constants in lists', (text, parts, listed) => {
  expect(expressionSize(text)).toEqual({ parts, listed });
});

test.each(["$$'$$ OR 1", '‘’‘ OR 1', "'OR 1 OR", '/* OR 1', '# OR 1', 'é OR 1', '\\ OR 1'])(
  'what ClickHouse might read in another way hides nothing: %s',
  (text) => {
    expect(expressionSize(text).parts).toBeGreaterThanOrEqual(text.length - 1);
  },
);

test('an expression is measured in linear time', () => {
  for (const text of ["'", '/*', '`', ' ', '--', "''", "'\\", '1', '(', '/* */'])
    expectSize(text.repeat(2_000_000));
});

function expectSize(text: string): void {
  const { parts, listed } = expressionSize(text);
  expect(parts + listed).toBeLessThanOrEqual(text.length);
}

test('an expression beyond the bound is an error that names the bound and a remedy', () => {
  const filters = new CatalogFilters();
  const joined = (count: number): string => Array(count).fill('a = 1').join(' OR ');
  filters.table(joined(PARTS_MAX / 8));
  expect(() => filters.table(joined(PARTS_MAX / 4))).toThrow(
    `the expression over the catalog has more than ${PARTS_MAX} words, operators and constants: ` +
      'compare a column with a list, such as address IN (…), instead of joining comparisons with OR',
  );
  const list = (count: number): string => `address IN (${Array(count).fill("'a'").join(', ')})`;
  expect(() => new CatalogFilters().table(list(LISTED_MAX))).not.toThrow();
  expect(() => new CatalogFilters().table(list(LISTED_MAX + 1))).toThrow(
    `the lists in the expression over the catalog have more than ${LISTED_MAX} constants`,
  );
});
