import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textFromBytes } from '../common/text/byte-text.ts';
import {
  type CellValue,
  kindsOf,
  RowDecoder,
  readQueryResult,
  rowsOf,
  writeQueryResult,
} from './index.ts';
import { encodeBatch, encodeResult, encodeTable, kindOf } from './testing.ts';

const text = fc
  .uint8Array({ maxLength: 12 })
  .map((bytes) => textFromBytes(Buffer.from(bytes.filter((byte) => byte !== 0))));
const cell: fc.Arbitrary<CellValue> = fc.oneof(
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)),
  fc.double(),
  text,
  fc.uint8Array({ maxLength: 12 }),
);
const table = fc
  .tuple(fc.array(text, { minLength: 1, maxLength: 4 }), fc.nat(20))
  .chain(([names, rows]) =>
    fc.record({
      names: fc.constant(names),
      cells: fc.array(cell, {
        minLength: rows * names.length,
        maxLength: rows * names.length,
      }),
      batchCells: fc.integer({ min: 1, max: 9 }),
      resultBatches: fc.integer({ min: 1, max: 3 }),
    }),
  );
function chunk<T>(items: T[], size: number): T[][] {
  return Array.from({ length: items.length / size }, (_, row) =>
    items.slice(row * size, (row + 1) * size),
  );
}

test('decoding returns the rows and kinds that were encoded', () => {
  fc.assert(
    fc.property(table, (sample) => {
      const results = encodeTable(sample);
      expect(rowsOf(results)).toEqual(chunk(sample.cells, sample.names.length));
      const kinds = sample.names.map((name, column) => ({
        name,
        kinds: sample.cells
          .filter((_, index) => index % sample.names.length === column)
          .reduce<number>((set, value) => set | (1 << kindOf(value)), 0),
      }));
      expect(kindsOf(results)).toEqual(kinds);
    }),
    { numRuns: 500 },
  );
});

test('a stream counts rows across results', () => {
  const decoder = new RowDecoder();
  const results = encodeTable({
    names: ['a', 'b'],
    cells: [1n, 2n, 3n, 4n, 5n, 6n],
    batchCells: 3,
    resultBatches: 1,
  });
  const seen = results.map((bytes) => [
    decoder.rows(bytes).length,
    decoder.stream.rows,
    decoder.stream.complete,
  ]);
  expect(seen).toEqual([
    [1, 1, false],
    [2, 3, true],
  ]);
  expect(() => decoder.stream.end()).not.toThrow();
});

test('rows that writeQueryResult encodes decode to the same values', () => {
  const written = fc.oneof(fc.constant(null), fc.double(), text);
  const rows = fc.array(fc.tuple(written, written), { maxLength: 300 });
  fc.assert(
    fc.property(rows, rows, (first, rest) => {
      const results = [
        writeQueryResult(['a', 'é'], first, false),
        writeQueryResult([], rest, true),
      ];
      expect(rowsOf(results)).toEqual([...first, ...rest]);
      expect(kindsOf(results).map(({ name }) => name)).toEqual(['a', 'é']);
    }),
  );
  expect(() => writeQueryResult(['a'], [['a\0b']], true)).toThrow('a text with NUL');
});

test('readQueryResult reads the statement counts and the error', () => {
  const bytes = encodeResult({
    error: 'no such table: x',
    statementCount: 3,
    statementWithOutputCount: 1,
  });
  const result = readQueryResult(bytes);
  expect(result.statementCount).toBe(3);
  expect(result.statementWithOutputCount).toBe(1);
  expect(() => rowsOf([bytes])).toThrowError(
    expect.objectContaining({ code: 'sql_failed', message: 'no such table: x' }),
  );
});

test('damaged bytes either decode or throw a BigtraceError', () => {
  const whole = fc.tuple(table, fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(whole, ([sample, position, byte]) => {
      for (const result of encodeTable(sample)) {
        const changed = Buffer.from(result);
        changed[position % changed.length] = byte;
        for (const bytes of [result.subarray(0, position % result.length), changed]) {
          try {
            rowsOf([bytes]);
          } catch (error) {
            expect(error).toMatchObject({ name: 'BigtraceError' });
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['a varint is cut short', Buffer.of(0x20, 0x80)],
  ['a field is longer than its message', Buffer.of(0x0a, 5, 1)],
  ['a varint is longer than 10 bytes', Buffer.alloc(12, 0xff)],
  ['field 3 has wire type 0', Buffer.of(0x18, 1)],
  ['batch field 1 twice', Buffer.of(0x1a, 6, 0x0a, 1, 1, 0x0a, 1, 1)],
  ['the last string has no end', Buffer.of(0x1a, 3, 0x2a, 1, 65)],
  ['a double is cut short', Buffer.of(0x1a, 3, 0x1a, 1, 65)],
  ['cells without columns', Buffer.of(0x1a, 3, 0x0a, 1, 1)],
  ['cell type 6', Buffer.of(0x0a, 1, 65, 0x1a, 3, 0x0a, 1, 6)],
  ['a double is missing', Buffer.of(0x0a, 1, 65, 0x1a, 3, 0x0a, 1, 3)],
  ['more values than cells', Buffer.of(0x0a, 1, 65, 0x1a, 3, 0x12, 1, 3)],
  ['the last row is cut short', Buffer.of(0x0a, 0, 0x0a, 0, 0x1a, 5, 0x0a, 1, 1, 0x30, 1)],
])('a result is malformed when %s', (message, bytes) => {
  expect(() => rowsOf([bytes])).toThrowError(`malformed query result: ${message}`);
});

test('a result that does not continue the previous one is malformed', () => {
  const last = encodeResult({ columnNames: [Buffer.from('a')], batch: [encodeBatch([1n], true)] });
  const more = encodeResult({ batch: [encodeBatch([1n], true)] });
  expect(() => rowsOf([last, more])).toThrow('a batch follows the last');
  expect(() => rowsOf([last, last])).toThrow('column names come twice');
  expect(() => new RowDecoder().stream.end()).toThrow('the last batch is missing');
});
