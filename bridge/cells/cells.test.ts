import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellType } from '../../lib/query-result/cell-type.ts';
import { lengthAndBytes } from '../native/encoding.ts';
import {
  COLUMNS_MAX,
  type Column,
  type Part,
  type Rows,
  readDoubles,
  readTexts,
  readVarints,
  type TextTarget,
  type WordTarget,
} from './cells.ts';

/** A column that keeps copies of the values it receives. */
class Taken implements WordTarget, TextTarget {
  #bytes: Buffer[] = [];
  nullFlags: number[] = [];
  count = 0;

  words(words: Uint8Array, nulls: Uint8Array): void {
    this.texts(words, nulls.length);
    this.nulls(nulls);
  }

  texts(encoded: Uint8Array, count: number): void {
    this.#bytes.push(Buffer.from(encoded));
    this.count += count;
  }

  nulls(nulls: Uint8Array): void {
    this.nullFlags.push(...nulls);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#bytes);
  }
}

type Read = (part: Part, rows: Rows, columns: readonly Column<Taken>[]) => number;

interface Values<T> {
  kind: number;
  read: Read;
  value: fc.Arbitrary<T>;
  /** Encodes a value as the batch has it, and (`column`) as the column receives it. */
  packed: (value: T) => Uint8Array;
  column: (value: T | undefined) => Uint8Array;
}

/** Checks that `read` passes values and NULLs to the right columns, for rows that also have columns of another kind. */
function holds<T>({ kind, read, value, packed, column }: Values<T>, numRuns: number): void {
  const cell = fc.option(value, { nil: undefined, freq: 5 });
  const around = fc.uint8Array({ maxLength: 20 });
  const widths = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(COLUMNS_MAX));
  const table = widths.chain((width) => {
    const positions = fc.shuffledSubarray(
      Array.from({ length: width }, (_, position) => position),
      { minLength: 1 },
    );
    return fc.record({
      width: fc.constant(width),
      positions: positions.map((all) => all.sort((a, b) => a - b)),
      rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), {
        minLength: 1,
        maxLength: width < 6 ? 40 : 3,
      }),
    });
  });
  fc.assert(
    fc.property(table, around, around, ({ width, positions, rows }, before, behind) => {
      const own = (row: readonly (T | undefined)[]) => positions.map((position) => row[position]);
      const kinds = Uint8Array.from(
        rows.flatMap((row) =>
          row.map((each, position) => {
            if (!positions.includes(position)) return CellType.BLOB;
            return each === undefined ? CellType.NULL : kind;
          }),
        ),
      );
      const values = rows.flatMap((row) => own(row).filter((each) => each !== undefined));
      const bytes = Buffer.concat([before, ...values.map(packed), behind]);
      const to = bytes.length - behind.length;
      const columns = positions.map((position) => ({ position, target: new Taken() }));
      expect(read({ bytes, from: before.length, to }, { kinds, width }, columns)).toBe(to);
      for (const { position, target } of columns) {
        const cells = rows.map((row) => row[position]);
        expect(target.count).toBe(rows.length);
        expect(target.nullFlags).toEqual(cells.map((each) => (each === undefined ? 1 : 0)));
        expect(target.bytes.equals(Buffer.concat(cells.map(column)))).toBe(true);
      }
    }),
    { numRuns },
  );
}

function word(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

test('readVarints reads integers of any length, and NULLs', () => {
  const value = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    // Values of each encoded length equally often, and the neighbours of powers of two.
    fc
      .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -1, max: 1 }))
      .map(([bits, beside]) => BigInt.asIntN(64, 2n ** BigInt(bits) + BigInt(beside))),
  );
  /** Encodes a protobuf varint: two's complement, seven bits per byte, the lowest first. */
  const packed = (integer: bigint): Uint8Array => {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, integer);
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    return Uint8Array.of(...bytes, Number(rest));
  };
  const column = (integer = 0n): Buffer => word(integer);
  holds({ kind: CellType.VARINT, read: readVarints, value, packed, column }, 300);
});

test('readDoubles keeps every bit of a double, and reads NULLs', () => {
  const value = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const column = (bits = 0n): Buffer => word(bits);
  holds({ kind: CellType.FLOAT64, read: readDoubles, value, packed: word, column }, 300);
});

test('readTexts reads texts of any bytes and length, and NULLs', () => {
  /** Lengths around a multiple of 16 bytes or a longer length prefix; the longest need several calls of the loop. */
  const lengths = [0, 1, 15, 16, 17, 31, 32, 127, 128, 129, 4095, 16_383, 16_384, 300_000];
  const length = fc.oneof(
    { weight: 15, arbitrary: fc.nat(60) },
    { weight: 1, arbitrary: fc.constantFrom(...lengths) },
  );
  const value = fc
    .tuple(length, fc.integer({ min: 1, max: 255 }))
    .map(([bytes, byte]) => Buffer.alloc(bytes, byte));
  const packed = (text: Buffer): Uint8Array => Buffer.concat([text, Buffer.of(0)]);
  const column = (text = Buffer.of()): Uint8Array => lengthAndBytes(text);
  holds({ kind: CellType.STRING, read: readTexts, value, packed, column }, 300);
});

/** Returns a function that reads one column from `bytes`, which `behind` bytes other than zero follow. */
function reading(read: Read, kind: number, bytes: number[], rows: number, behind: number) {
  return () =>
    read(
      {
        bytes: Buffer.from([...bytes, ...Array<number>(behind).fill(1)]),
        from: 0,
        to: bytes.length,
      },
      { kinds: new Uint8Array(rows).fill(kind), width: 1 },
      [{ position: 0, target: new Taken() }],
    );
}

test.each([0, 20])('damaged values followed by %i bytes are an error', (behind) => {
  const integers = (bytes: number[], rows: number) =>
    reading(readVarints, CellType.VARINT, bytes, rows, behind);
  expect(integers([1, 2], 3)).toThrow('a varint is missing');
  expect(integers([], 1)).toThrow('a varint is missing');
  expect(integers([1, 0x80], 2)).toThrow('a varint is cut short');
  expect(integers([0x80, 1, 0x80], 2)).toThrow('a varint is cut short');
  expect(integers([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 1)).toThrow('a varint is cut short');
  expect(integers([...Array<number>(10).fill(0x80), 1], 1)).toThrow('longer than 10 bytes');
  expect(integers([1, 2], 2)()).toBe(2);
  const doubles = (bytes: number[]) => reading(readDoubles, CellType.FLOAT64, bytes, 2, behind);
  expect(doubles(Array<number>(15).fill(1))).toThrow('a double is missing');
  expect(doubles(Array<number>(16).fill(1))()).toBe(16);
  const texts = (bytes: number[], rows: number) =>
    reading(readTexts, CellType.STRING, bytes, rows, behind);
  expect(texts([65, 0, 66], 2)).toThrow('a string is missing');
  expect(texts([65, 0], 2)).toThrow('a string is missing');
  expect(texts([], 1)).toThrow('a string is missing');
  expect(texts([65, 0, 66, 0], 2)()).toBe(4);
});
