import fc from 'fast-check';
import { expect, test } from 'vitest';
import { distinctNames, matchColumns, typeOfKinds } from './columns.ts';
import { parseQueryInput, parseSchemaInput } from './request.ts';
import { formatStructure, parseStructure } from './structure.ts';
import { fieldsOf, linesOf, stringsOf, unescaped } from './tsv.ts';

/** As ClickHouse writes a String into TSV, and one within an array. */
function escaped(bytes: Uint8Array, extra = ''): Buffer {
  const text = Buffer.from(bytes).toString('latin1');
  const codes: Record<string, string> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't' };
  const result = text.replace(/[\b\f\n\r\t\0\\']/g, (char) =>
    char === "'" && extra === '' ? char : `\\${codes[char] ?? (char === '\0' ? '0' : char)}`,
  );
  return Buffer.from(result, 'latin1');
}

test('any strings survive the way through a row', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), fc.uint8Array(), (traces, sql) => {
      const quoted = traces.map((trace) => `'${escaped(trace, 'quotes').toString('latin1')}'`);
      const line = `[${quoted.join(',')}]\t${escaped(sql).toString('latin1')}`;
      const [first, second] = fieldsOf(Buffer.from(line, 'latin1'));
      expect(stringsOf(first ?? Buffer.of())).toEqual(traces.map((trace) => Buffer.from(trace)));
      expect(unescaped(second ?? Buffer.of())).toEqual(Buffer.from(sql));
    }),
  );
});

test.each(['', '[', "['a'", "['a',]", "['a' 'b']", "['a]", '[a]', "['a\\"])(
  'no array: %s',
  (text) => {
    expect(() => stringsOf(Buffer.from(text))).toThrow('traces is no Array(String)');
  },
);

test('a query row', () => {
  const row = Buffer.from("['/local/**']\tSELECT 1\tid\tanalyst\tlenient\t_hb UInt8");
  expect(parseQueryInput(row, false)).toEqual({
    traces: [Buffer.from('/local/**')],
    sql: Buffer.from('SELECT 1'),
    queryId: 'id',
    user: 'analyst',
    lenient: true,
    structure: '_hb UInt8',
  });
});

test.each([
  ['[]\tSELECT 1\tid\tu\tstrict', 'no_traces'],
  ["['a']\t \\n\tid\tu\tstrict", 'no_sql'],
  ["['a']\tSELECT 1\tid\tu\tsometimes", 'invalid_option'],
  ["['a']\tSELECT 1\tid\tu", 'internal'],
])('schema row %j is refused as %s', (row, code) => {
  expect(() => parseSchemaInput(Buffer.from(row))).toThrowError(expect.objectContaining({ code }));
});

test('lines are found however the stream is cut', async () => {
  const cut = async function* (text: string, size: number) {
    for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
  };
  for (const size of [1, 2, 3, 100]) {
    const lines: string[] = [];
    for await (const some of linesOf(cut('ab\n\ncde\nf', size), 10))
      lines.push(...some.map(String));
    expect(lines).toEqual(['ab', '', 'cde', 'f']);
  }
  const long = linesOf(cut('x'.repeat(30), 3), 10);
  await expect(long.next()).rejects.toThrow('longer than 10 bytes');
});

test('distinct names', () => {
  expect(distinctNames(['a', 'a', 'a_1', 'a', '', '_hb', '_trace_address', 'column_5'])).toEqual([
    'a',
    'a_2',
    'a_1',
    'a_3',
    'column_5_1',
    '_hb_1',
    '_trace_address_1',
    'column_5',
  ]);
  fc.assert(
    fc.property(fc.array(fc.constantFrom('', 'a', 'a_1', '_hb', 'b', 'column_1')), (names) => {
      const distinct = distinctNames(names);
      expect(new Set([...distinct, '_hb', '_trace_address']).size).toBe(names.length + 2);
    }),
  );
});

test('types of kinds', () => {
  expect([0, 2, 4, 6, 8, 12, 14, 16, 20, 32, 36].map(typeOfKinds)).toEqual([
    'Nullable(String)',
    'Nullable(String)',
    'Nullable(Int64)',
    'Nullable(Int64)',
    'Nullable(Float64)',
    'Nullable(Float64)',
    'Nullable(Float64)',
    'Nullable(String)',
    'Nullable(String)',
    'Nullable(BLOB)',
    'Nullable(BLOB)',
  ]);
});

test('structures read back as they were written', () => {
  const name = fc.string({
    unit: fc.constantFrom('a', '`', '\\', '\n', '"', "'", ',', ' ', 'é', '\t', '('),
  });
  fc.assert(
    fc.property(fc.uniqueArray(name), (names) => {
      const columns = names.map((given) => ({ name: given, type: 'Nullable(Int64)' }));
      const parsed = parseStructure(formatStructure(columns));
      expect(parsed.map((column) => column.name)).toEqual(names);
    }),
  );
  expect(
    parseStructure('_hb UInt8,`_trace_address` String,\n a LowCardinality( Nullable(String) )'),
  ).toEqual([
    {
      name: 'a',
      type: { text: 'LowCardinality( Nullable(String) )', base: 'String', nullable: true },
    },
  ]);
});

test.each([
  ['a DateTime', 'column a: type DateTime is not supported; use Int8, Int16'],
  ['a Int64, a Int8', 'structure names column a twice'],
  ['a', 'structure lacks the type of column a'],
  ['`a', 'structure lacks the closing `'],
  ['1a Int8', 'structure lacks a column name'],
])('structure %s is refused', (structure, message) => {
  expect(() => parseStructure(`_hb UInt8, _trace_address String, ${structure}`)).toThrow(message);
});

test('columns match by position, or by name where the names are the same', () => {
  expect(matchColumns(['a', 'b'], ['x', 'y'])).toEqual([0, 1]);
  expect(matchColumns(['a', 'b', 'c'], ['c', 'a', 'b'])).toEqual([1, 2, 0]);
  expect(matchColumns(['a', 'a'], ['a_1', 'a'])).toEqual([1, 0]);
  expect(() => matchColumns(['a', 'b'], ['b', 'x'])).toThrow(
    'column b is number 2 of the query, number 1 of the structure',
  );
  expect(() => matchColumns(['a', 'b'], ['a'])).toThrow(
    'the query has 2 columns (a, b), the structure 1 (a)',
  );
});
