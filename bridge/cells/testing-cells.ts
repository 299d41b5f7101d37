/** For tests: cells of all kinds, with the values at which encoders tend to fail. */
import fc from 'fast-check';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';
import type { EncodedTable } from '../../lib/query-result/testing.ts';

export function chunk<T>(items: T[], size: number): T[][] {
  return Array.from({ length: items.length / size }, (_, row) =>
    items.slice(row * size, (row + 1) * size),
  );
}

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }),
  fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -2, max: 2 }))
    .map(([shift, off]) => BigInt.asIntN(64, 2n ** BigInt(shift) + BigInt(off))),
  fc
    .tuple(fc.integer({ min: 0, max: 18 }), fc.integer({ min: -1, max: 1 }), fc.boolean())
    .map(([power, off, sign]) => (10n ** BigInt(power) + BigInt(off)) * (sign ? 1n : -1n)),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.array(fc.constantFrom(0, 9, 10, 13, 92, 39, 34, 65, 0xff, 0xc3), { maxLength: 20 }),
);
const longText = fc
  .array(
    fc.oneof(
      bytes,
      fc.integer({ min: 0, max: 300 }).map((size) => Buffer.alloc(size, 'x')),
    ),
    {
      maxLength: 8,
    },
  )
  .map((parts) => Buffer.concat(parts.map((part) => Uint8Array.from(part))));
const text = fc
  .oneof(bytes, longText)
  .map((cellBytes) => textFromBytes(Buffer.from(cellBytes.filter((byte) => byte !== 0))));
const blob = bytes.map((cellBytes) => Uint8Array.from(cellBytes));
const cell: fc.Arbitrary<CellValue> = fc.oneof(
  fc.constant(null),
  int64,
  fc.double(),
  fc.constantFrom(-0, Number.POSITIVE_INFINITY, Number.NaN, 5e-324, 2 ** 53, 1e21, 1e-7),
  text,
  blob,
);

/** Up to four columns `c0`, … of any cells. Batches and results may end in the middle of a row. */
export const anyCells: fc.Arbitrary<EncodedTable> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(30))
  .chain(([columns, rows]) =>
    fc.record({
      names: fc.constant(Array.from({ length: columns }, (_, index) => `c${index}`)),
      cells: fc.array(cell, { minLength: rows * columns, maxLength: rows * columns }),
      batchCells: fc.integer({ min: 1, max: 9 }),
      resultBatches: fc.integer({ min: 1, max: 3 }),
    }),
  );

const KINDS = { i: int64, d: fc.double(), t: text };

/** Columns `i0`, `d1`, `t2`, … of integers, doubles or texts, some with NULLs; a text column may have other values. */
export const uniformCells: fc.Arbitrary<EncodedTable> = fc
  .array(fc.constantFrom<keyof typeof KINDS>('i', 'd', 't'), { minLength: 1, maxLength: 4 })
  .chain((kinds) => {
    const row = fc.tuple<CellValue[]>(...kinds.map((kind) => KINDS[kind]));
    const withNulls = fc.tuple(...kinds.map((kind) => fc.option<CellValue>(KINDS[kind])));
    const odd = fc.tuple<CellValue[]>(...kinds.map((kind) => (kind === 't' ? cell : KINDS[kind])));
    return fc.record({
      names: fc.constant(kinds.map((kind, index) => `${kind}${index}`)),
      cells: fc
        .oneof(
          fc.array(row, { maxLength: 60 }),
          fc.array(withNulls, { maxLength: 60 }),
          fc.array(fc.oneof({ weight: 9, arbitrary: row }, odd), { maxLength: 60 }),
        )
        .map((rows) => rows.flat()),
      batchCells: fc
        .integer({ min: 1, max: 30 })
        .chain((rows) => fc.constantFrom(rows * kinds.length, rows)),
      resultBatches: fc.integer({ min: 1, max: 3 }),
    });
  });
