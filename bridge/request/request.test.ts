import fc from 'fast-check';
import { expect, test } from 'vitest';
import { distinctNames, matchColumns, typeOfKinds } from '../columns/columns.ts';
import { formatStructure, parseStructure } from '../columns/structure.ts';
import { lengthAndBytes } from '../native/encoding.ts';
import { stringsOfBlocks } from '../native/input.ts';
import { schemaRow } from '../testing.ts';
import { fieldsOf, linesOf, stringsOf, unescaped } from '../tsv/input.ts';
import { queryInput, type RequestRow, rowOfNative, rowOfTsv, schemaInput } from './request.ts';
import { rowsOfBinary } from './row-binary.ts';

/** Escapes a String as ClickHouse does in TSV; with `extra`, as it does within an array. */
function escaped(bytes: Uint8Array, extra = ''): Buffer {
  const text = Buffer.from(bytes).toString('latin1');
  const codes: Record<string, string> = { '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't' };
  const result = text.replace(/[\b\f\n\r\t\0\\']/g, (char) =>
    char === "'" && extra === '' ? char : `\\${codes[char] ?? (char === '\0' ? '0' : char)}`,
  );
  return Buffer.from(result, 'latin1');
}

test('any strings written to a TSV row are read as the same strings', () => {
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
  '%s is not an array',
  (text) => {
    expect(() => stringsOf(Buffer.from(text))).toThrow('traces is not an Array(String)');
  },
);

test('queryInput reads the columns of a query row', () => {
  const row = Buffer.from("['/local/**']\tSELECT 1\tid\tanalyst\tlenient\t_hb UInt8");
  expect(queryInput(rowOfTsv(row), false)).toEqual({
    traces: [Buffer.from('/local/**')],
    sql: Buffer.from('SELECT 1'),
    queryId: 'id',
    user: 'analyst',
    lenient: true,
    structure: '_hb UInt8',
    statement: '',
  });
  const known = Buffer.concat([row, Buffer.from('\tSELECT 2')]);
  expect(queryInput(rowOfTsv(known), false).statement).toBe('SELECT 2');
});

test('rowsOfBinary reads rows with any bytes, in chunks of any length', async () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
  const row = fc.record({
    traces: fc.array(bytes),
    texts: fc.array(bytes, { minLength: 5, maxLength: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(row), fc.array(fc.nat({ max: 400 })), async (rows, cuts) => {
      const parts = rows.flatMap(({ traces, texts }) => [
        lengthAndBytes(Buffer.alloc(traces.length)).subarray(0, traces.length < 128 ? 1 : 2),
        ...[...traces, ...texts].map(lengthAndBytes),
      ]);
      const whole = Buffer.concat(parts);
      const read: RequestRow[] = [];
      for await (const some of rowsOfBinary(piecesOf(whole, cuts), 5, 1 << 20)) read.push(...some);
      expect(read).toEqual(rows);
    }),
  );
});

async function* piecesOf(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const length of lengths) {
    yield bytes.subarray(at, at + length);
    at += length;
  }
  yield bytes.subarray(at);
}

test('rowsOfBinary rejects a row that is cut short or too long', async () => {
  const row = schemaRow(['/local/a'], 'SELECT 1', ['strict', 'find']);
  const read = async (bytes: Buffer): Promise<void> => {
    for await (const _ of rowsOfBinary(piecesOf(bytes, [3, 9]), 5, 100));
  };
  await read(Buffer.concat([row, row]));
  for (let cut = 1; cut < row.length; cut++)
    await expect(read(row.subarray(0, cut))).rejects.toThrow('it is incomplete');
  await expect(read(schemaRow([], 'x'.repeat(101), ['strict', 'find']))).rejects.toThrow(
    'a row of the request is longer than 100 bytes',
  );
});

test.each([
  ['[]\tSELECT 1\tid\tu\tstrict\tfind', 'no_traces'],
  ["['a']\t \\n\tid\tu\tstrict\tfind", 'no_sql'],
  ["['a']\tSELECT 1\tid\tu\tsometimes\tfind", 'invalid_option'],
  ["['a']\tSELECT 1\tid\tu", 'internal'],
])('schema row %j is refused as %s', (row, code) => {
  expect(() => schemaInput(rowOfTsv(Buffer.from(row)))).toThrowError(
    expect.objectContaining({ code }),
  );
});

function native(...columns: [type: string, values: Uint8Array][]): Buffer {
  const head = Buffer.of(columns.length, 1);
  const parts = columns.flatMap(([type, values]) => [
    lengthAndBytes(Buffer.from('a name')),
    lengthAndBytes(Buffer.from(type)),
    values,
  ]);
  return Buffer.concat([head, ...parts]);
}

test('rowOfNative reads a row with any bytes, and rejects one that is cut short', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(fc.array(bytes), bytes, (traces, sql) => {
      const count = Buffer.alloc(8);
      count.writeUInt32LE(traces.length);
      const block = native(
        ['Array(String)', Buffer.concat([count, ...traces.map(lengthAndBytes)])],
        ['String', lengthAndBytes(sql)],
      );
      const empty = Buffer.from('\x01\0\x01a\x06String', 'latin1');
      expect(rowOfNative(Buffer.concat([empty, block, empty]))).toEqual({
        traces: traces.map((trace) => Buffer.from(trace)),
        texts: [Buffer.from(sql)],
      });
      for (let cut = 0; cut < block.length; cut++)
        expect(() => rowOfNative(block.subarray(0, cut))).toThrow('malformed request: ');
    }),
    { numRuns: 30 },
  );
  const text: [string, Uint8Array] = ['String', lengthAndBytes(Buffer.from('x'))];
  expect(() => rowOfNative(native(text))).toThrow('its columns are not traces and then texts');
  expect(() => rowOfNative(native(['Int8', Buffer.of(1)]))).toThrow('a column is Int8');
});

test('stringsOfBlocks reads a list of traces in chunks of any length', async () => {
  const block = (...addresses: string[]): Buffer =>
    Buffer.concat([
      Buffer.of(1, addresses.length),
      ...['trace', 'String', ...addresses].map((text) => lengthAndBytes(Buffer.from(text))),
    ]);
  const long = `/local/${'x'.repeat(200)}`;
  const bytes = Buffer.concat([block('/local/a', ''), block(), block(long), block('/local/b')]);
  const read = async (bytes: Buffer, size: number, bytesMax: number): Promise<string[]> => {
    const cut = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    const strings: string[] = [];
    for await (const some of stringsOfBlocks(cut(), bytesMax)) strings.push(...some.map(String));
    return strings;
  };
  for (const size of [1, 2, 7, 1000])
    expect(await read(bytes, size, 1000)).toEqual(['/local/a', '', long, '/local/b']);
  await expect(read(bytes, 10, 100)).rejects.toThrow('longer than 100 bytes');
  for (const cut of [1, 5, 20, bytes.length - 1])
    await expect(read(bytes.subarray(0, cut), 3, 1000)).rejects.toThrow('is incomplete');
  const two = Buffer.concat([Buffer.of(2), block('/local/a').subarray(1)]);
  await expect(read(two, 1000, 1000)).rejects.toThrow('the list has 2 columns, String');
});

test('linesOf splits a stream in chunks of any length into lines', async () => {
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

test('distinctNames returns names that are all different and none of the bridge', () => {
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

test.each([
  [0, 'Nullable(BIGINT)'],
  [2, 'Nullable(BIGINT)'],
  [4, 'Nullable(Int64)'],
  [14, 'Nullable(Float64)'],
  [18, 'Nullable(String)'],
  [20, 'Nullable(String)'],
  [36, 'Nullable(BLOB)'],
])('kinds %i are %s', (kinds, type) => {
  expect(typeOfKinds(kinds)).toBe(type);
});

test('parseStructure reads what formatStructure wrote', () => {
  const name = fc.string({
    unit: fc.constantFrom('a', '`', '\\', '\n', '"', "'", ',', ' ', 'é', '\t', '('),
  });
  fc.assert(
    fc.property(fc.uniqueArray(name), (names) => {
      const columns = names.map((name) => ({ name, type: 'Nullable(Int64)' }));
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
      exact: false,
    },
  ]);
});

test.each([
  ['TEXT', 'String', false],
  ['text null', 'String', true],
  ['String NULL', 'String', true],
  ['Nullable(VARCHAR(255))', 'String', true],
  ['LowCardinality(Nullable(TEXT))', 'String', true],
  ['BIGINT', 'Int64', false],
  ['bigint(20) unsigned NOT NULL', 'UInt64', false],
  ['double  precision', 'Float64', false],
  ['FLOAT(12, 3)', 'Float32', false],
  ['boolean NULL', 'Bool', true],
  ['INT', 'Int32', false],
])('the type %s is %s', (type, base, nullable) => {
  const [column] = parseStructure(`_hb UInt8, _trace_address String, a ${type}, b Int8`);
  expect(column).toEqual({ name: 'a', type: { text: type, base, nullable }, exact: false });
});

test.each([
  ['a int64', 'column a: type int64 is not supported'],
  ['a DateTime', 'column a: type DateTime is not supported; use Int8, Int16'],
  ['a Int64, a Int8', 'structure names column a twice'],
  ['a', 'structure lacks the type of column a'],
  ['`a', 'structure lacks the closing `'],
  ['1a Int8', 'structure lacks a column name'],
])('structure %s is refused', (structure, message) => {
  expect(() => parseStructure(`_hb UInt8, _trace_address String, ${structure}`)).toThrow(message);
});

test('columns match by position, or by name if the names are the same', () => {
  expect(matchColumns(['a', 'b'], ['x', 'y'])).toEqual([0, 1]);
  expect(matchColumns(['a', 'b', 'c'], ['c', 'a', 'b'])).toEqual([1, 2, 0]);
  expect(matchColumns(['a', 'a'], ['a_1', 'a'])).toEqual([1, 0]);
  expect(() => matchColumns(['a', 'b'], ['b', 'x'])).toThrow(
    'column b is number 2 of the query, number 1 of the structure',
  );
  expect(() => matchColumns(['a', 'b'], ['a'])).toThrow(
    'the query has 2 columns (a, b), but the structure has 1 (a)',
  );
});
