/** Tests that client input becomes SQL with the same meaning and nothing else. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identifier } from '../../lib/common/text/sql-literal.ts';
import { columnOf, wireText } from '../queries/columns.ts';
import { byteRange } from '../routes/byte-range.ts';
import { rewritten } from '../server.ts';
import { chosenAddresses, chosenTraces } from './chosen-traces.ts';
import { conditionOf } from './conditions.ts';
import { globRegex } from './glob.ts';
import { orderSql, parseOrder } from './order.ts';
import { pageOf } from './page.ts';
import { structureColumns } from './sql-text.ts';

/** SQLite's patternCompare() for GLOB as its documentation describes it, in a slow and simple form. */
function globMatches(pattern: string[], text: string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return text.length === 0;
  if (head === '*')
    return Array.from({ length: text.length + 1 }, (_, at) => at).some((at) =>
      globMatches(rest, text.slice(at)),
    );
  const [char, ...after] = text;
  if (char === undefined) return false;
  if (head === '?') return globMatches(rest, after);
  if (head !== '[') return head === char && globMatches(rest, after);
  const inverted = rest[0] === '^';
  const from = inverted ? 1 : 0;
  const end = rest.indexOf(']', from + 1);
  if (end < 0) return false;
  return (
    inClass(rest.slice(from, end), char) !== inverted && globMatches(rest.slice(end + 1), after)
  );
}

function inClass(members: string[], char: string): boolean {
  let prior = '';
  for (let at = 0; at < members.length; at++) {
    const member = members[at] ?? '';
    const last = members[at + 1];
    if (member === '-' && prior !== '' && last !== undefined) {
      if (char >= prior && char <= last) return true;
      prior = '';
      at++;
    } else {
      if (member === char) return true;
      // A leading bracket is a member, but starts no range.
      prior = member === ']' && at === 0 ? '' : member;
    }
  }
  return false;
}

/**
 * Converts to a JavaScript RegExp. Apart from the syntax of code points, JavaScript reads these expressions the same.
 */
function asJs(regex: string): RegExp {
  return new RegExp(regex.replaceAll('\\x{', '\\u{'), 'su');
}

test('a GLOB as a regular expression matches what SQLite matches', () => {
  const parts = fc.constantFrom(
    'a',
    'b',
    'c',
    '*',
    '?',
    '[',
    ']',
    '^',
    '-',
    '.',
    '$',
    '\\',
    'é',
    '\n',
  );
  const pattern = fc.array(parts, { maxLength: 8 });
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ']', '^', '-', '.', '[', 'é', '\n'), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(pattern, text, (glob, chars) => {
      expect(asJs(globRegex(glob.join(''))).test(chars.join(''))).toBe(globMatches(glob, chars));
    }),
    { numRuns: 5000 },
  );
});

const CHOICE = { strict: false, timeoutS: 0 };

test('addresses are compared exactly, and each expression becomes its own table filter', () => {
  const addresses = ["/local/it's", '/where/size > 3', '/where//["a", "b"]'];
  const { from, condition, settings } = chosenTraces({ ...CHOICE, addresses, where: '1) OR (1' });
  const tag = /^bigtrace\.traces AS (t[0-9a-f]{16})_0$/.exec(from)?.[1];
  const chosen = (nth: number) =>
    `address IN (SELECT address FROM bigtrace.traces AS ${tag}_${nth})`;
  expect(condition.replace(/ LIMIT \d{13,}/g, '')).toBe(
    `vanished_at IS NULL AND ((address IN ('/local/it\\'s')) OR (${chosen(1)}) OR (${chosen(2)} AND ${chosen(3)}))`,
  );
  expect(new Set(condition.match(/LIMIT \d+/g)).size).toBe(3);
  const filters = ['1) OR (1', 'size > 3', 'a', 'b'].map((one, nth) => `'${tag}_${nth}': '${one}'`);
  expect(settings).toBe(` SETTINGS additional_table_filters = {${filters.join(', ')}}`);
});

test('the selection and the filters become separate expressions of /where addresses', () => {
  const addresses = ['/local/a', '/where/x', '/where//["y","z"]'];
  expect(chosenAddresses({ ...CHOICE, addresses, where: 'w' }, 'f')).toEqual([
    `/where//["(address IN ('/local/a'))","w","f"]`,
    '/where//["x","w","f"]',
    '/where//["y","z","w","f"]',
  ]);
  expect(chosenAddresses({ ...CHOICE, addresses: ['/where/x'], where: '' }, 'true')).toEqual([
    '/where/x',
  ]);
});

const COLUMNS = [
  columnOf('name', 'LowCardinality(Nullable(String))'),
  columnOf('n', 'Nullable(Int64)'),
  columnOf('at', "DateTime64(3, 'UTC')"),
  columnOf('ok', 'Bool'),
  columnOf('day', 'Date'),
  columnOf('a, b desc', 'String'),
  columnOf('map', 'Map(String, String)'),
];

test('ClickHouse types map to wire types', () => {
  expect(COLUMNS.map(({ type }) => type)).toEqual([
    'STRING',
    'INT64',
    'TIMESTAMP',
    'BOOL',
    'DATE',
    'STRING',
    'STRING',
  ]);
  expect(wireText(columnOf('map', 'Map(String, String)'))).toBe('toJSONString(`map`)');
});

test.each<[string, string, unknown, string]>([
  ['n', '=', '007', '`n` = 7'],
  ['n', '<', '1e3', "`n` < toFloat64('1e3')"],
  ['n', '>', '18446744073709551616', "`n` > toFloat64('18446744073709551616')"],
  ['n', 'in', ['1', null], '`n` = 1 OR isNull(`n`)'],
  ['n', 'not in', ['1', '2'], 'NOT (`n` = 1 OR `n` = 2)'],
  ['n', '!=', null, 'isNotNull(`n`)'],
  ['ok', '=', 'TRUE', '`ok` = true'],
  ['day', '>=', '2026-01-31', "`day` >= toDate32('2026-01-31')"],
  [
    'at',
    '<',
    '2026-01-31T00:00:00Z',
    "`at` < parseDateTime64BestEffortOrNull('2026-01-31T00:00:00Z', 9, 'UTC')",
  ],
  ['name', '=', "it's", "toString(`name`) = 'it\\'s'"],
  ['map', '=', '{}', "toJSONString(`map`) = '{}'"],
  // Values that are not of the column's type are compared as texts.
  ['n', '=', '1; DROP', "toString(`n`) = '1; DROP'"],
  ['n', 'in', ['1', 'x'], "`n` = 1 OR toString(`n`) = 'x'"],
  ['ok', '=', 'yes', "toString(`ok`) = 'yes'"],
  ['day', '=', '2026-02-30', "toString(`day`) = '2026-02-30'"],
  ['day', '<', '2026-02-3', "toString(`day`) < '2026-02-3'"],
  [
    ...(['at', '=', 'now()'] as const),
    "concat(replaceOne(toString(toTimeZone(`at`, 'UTC')), ' ', 'T'), 'Z') = 'now()'",
  ],
])('filter %s %s %j', (field, op, value, sql) => {
  expect(conditionOf([{ field, op, value } as never], COLUMNS)).toBe(`(${sql})`);
});

test.each<[string, string, unknown, string]>([
  ['n', '<', null, 'filter on n: < needs a value'],
  ['n', '<', ['1'], 'filter on n: < takes one value, not a list'],
  [
    'nope',
    '=',
    '1',
    'there is no column nope; the columns are name, n, at, ok, day, a, b desc, map',
  ],
])('filter %s %s %j is refused', (field, op, value, message) => {
  expect(() => conditionOf([{ field, op, value } as never], COLUMNS)).toThrow(message);
});

test('orders are parsed, even for columns whose names look like orders', () => {
  const names = (text: string) =>
    parseOrder(text, COLUMNS).map(({ column, descending }) => [column.name, descending]);
  expect(names('n desc, name')).toEqual([
    ['n', true],
    ['name', false],
  ]);
  expect(names('a, b desc asc, n ASC')).toEqual([
    ['a, b desc', false],
    ['n', false],
  ]);
  expect(names('n,a, b desc')).toEqual([
    ['n', false],
    ['a, b desc', false],
  ]);
  expect(() => names('n sideways')).toThrow(
    'order by n sideways must be a column, alone or followed by asc or desc',
  );
  expect(orderSql(parseOrder('n desc', COLUMNS), '_row')).toBe('`n` DESC NULLS LAST, _row');
});

test('a page ignores an order by unknown columns, and takes negative numbers for 0', () => {
  const relation = { from: 't', columns: COLUMNS, key: 'k', numbered: false };
  const sql = (request: object) => pageOf(relation, { columns: ['n'], ...request }).rowsSql;
  expect(sql({ order_by: 'gone desc, n asc', limit: -1, offset: -5 })).toBe(
    'SELECT toString(`n`) FROM t WHERE true ORDER BY `n` ASC NULLS FIRST, k LIMIT 0 OFFSET 0',
  );
  expect(sql({ order_by: 'gone sideways' })).toContain('ORDER BY k LIMIT 50 OFFSET 0');
});

test('a page without filters and order becomes a range of row numbers', () => {
  const relation = { from: 't', columns: COLUMNS.slice(1, 2), key: '_row', numbered: true };
  expect(pageOf(relation, { limit: 10, offset: 30 }).rowsSql).toBe(
    'SELECT toString(`n`) FROM t WHERE _row >= 30 AND _row < 40 ORDER BY _row',
  );
});

test.each<[string | undefined, unknown]>([
  [undefined, undefined],
  ['bytes=0-4', { from: 0, to: 5 }],
  ['bytes=7-', { from: 7, to: 10 }],
  ['bytes=-3', { from: 7, to: 10 }],
  ['bytes=-30', { from: 0, to: 10 }],
  ['bytes=5-100', { from: 5, to: 10 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=4-2', undefined],
  ['bytes=1-2,4-5', undefined],
  ['lines=1-2', undefined],
])('the range header %s of ten bytes is parsed', (header, range) => {
  expect(byteRange(header, 10)).toEqual(range);
});

test('URLs as the page builds them are normalized', () => {
  expect(rewritten('//v1//query_executions/u-1:fetch_results?a=:b')).toBe(
    '/query_executions/u-1/fetch_results?a=:b',
  );
  expect(rewritten('/v1')).toBe('/');
  expect(rewritten('/v1x')).toBe('/v1x');
});

test('parsing a structure returns the columns it was built from', () => {
  const name = fc.string({
    unit: fc.constantFrom('a', 'n', '`', '\\', '\n', '\t', '\0', ',', ' ', 'é'),
  });
  const type = fc.constantFrom('Nullable(BLOB)', 'UInt8', 'Nullable(Int64)');
  fc.assert(
    fc.property(fc.array(fc.record({ name, type })), (columns) => {
      const structure = columns.map((one) => `${identifier(one.name)} ${one.type}`).join(', ');
      expect(structureColumns(structure)).toEqual(columns);
    }),
  );
});

test('bytes are base64, and are compared as bytes', () => {
  const column = columnOf('data', 'BLOB');
  expect(column.type).toBe('BYTES');
  expect(wireText(column)).toBe('base64Encode(`data`)');
  const where = (value: string) => conditionOf([{ field: 'data', op: '=', value }], [column]);
  expect(where('AP8=')).toBe("(`data` = base64Decode('AP8='))");
  expect(where('AP8')).toBe("(base64Encode(`data`) = 'AP8')");
});

// Without the bounds, each of these took quadratic or cubic time in its length.
test('orders and filters have bounds, which the errors name', () => {
  const n = columnOf('n', 'Int64');
  const order = (text: string) => () => parseOrder(text, [n]);
  expect(parseOrder(Array(100).fill('n desc').join(', '), [n])).toHaveLength(100);
  expect(order(Array(101).fill('n').join(','))).toThrow('more columns than the bound of 100');
  expect(order('n,'.repeat(20_000))).toThrow('more columns than the bound of 100');
  expect(order(','.repeat(20_000))).toThrow('order by  must be a column');
  expect(order(`n ${' '.repeat(60_000)}x`)).toThrow(
    'must be a column, alone or followed by asc or desc',
  );
  expect(order('x'.repeat(65_537))).toThrow('is 65537 characters long, the bound is 65536');
  const filters = (count: number, value: string[]) => () =>
    conditionOf(Array(count).fill({ field: 'n', op: 'in', value }), [n]);
  expect(filters(101, ['1'])).toThrow('there are 101 filters, the bound is 100');
  expect(filters(2, Array(2501).fill('1'))).toThrow('filters have 5002 values, the bound is 5000');
  expect(filters(1, ['1'.repeat(65_537)])).toThrow(
    'filter on n: a value is 65537 characters long, the bound is 65536',
  );
  const glob = { field: 'n', op: 'glob' as const, value: '*'.repeat(4097) };
  expect(() => conditionOf([glob], [n])).toThrow('4097 characters long, the bound is 4096');
});
