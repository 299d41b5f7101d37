import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readVarints, TEXT_COLUMNS_MAX, type TextTarget, takeTexts } from './cells.ts';
import { lengthAndBytes } from './native/encoding.ts';

/** As protobuf says: two's complement, seven bits a byte, the lowest first. */
function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

const value = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  // As many of each length, and what is next to where it changes.
  fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -1, max: 1 }))
    .map(([bits, beside]) => BigInt.asIntN(64, 2n ** BigInt(bits) + BigInt(beside))),
);

function read(bytes: number[], from: number, to: number, columns: number, rows: number) {
  const targets = Array.from({ length: columns }, () => new Int32Array((rows + 1) * 2));
  const at = readVarints(Uint8Array.from(bytes), from, to, { targets, row: 1, rows });
  const found = targets.map((words) => [...new BigInt64Array(words.buffer).subarray(1)]);
  return { at, found };
}

test('integers of any length go to their columns in turn, whatever stands around them', () => {
  const around = fc.array(fc.nat(255), { maxLength: 20 });
  const rows = fc
    .integer({ min: 1, max: 4 })
    .chain((width) =>
      fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 1 }),
    );
  fc.assert(
    fc.property(rows, around, around, (table, before, behind) => {
      const packed = table.flat().flatMap(varint);
      const to = before.length + packed.length;
      const width = table[0]?.length ?? 0;
      const bytes = [...before, ...packed, ...behind];
      const { at, found } = read(bytes, before.length, to, width, table.length);
      expect(at).toBe(to);
      expect(found).toEqual(
        Array.from({ length: width }, (_, column) => table.map((row) => row[column])),
      );
    }),
    { numRuns: 2000 },
  );
});

test.each([0, 20])('damage is an error, with %i bytes behind it', (count) => {
  const behind = Array<number>(count).fill(1);
  const reading = (bytes: number[], rows: number) => () =>
    read([...bytes, ...behind], 0, bytes.length, 1, rows);
  expect(reading([1, 2], 3)).toThrow('a varint is missing');
  expect(reading([], 1)).toThrow('a varint is missing');
  expect(reading([1, 0x80], 2)).toThrow('a varint is cut short');
  expect(reading([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 1)).toThrow('a varint is cut short');
  expect(reading([...Array<number>(10).fill(0x80), 1], 1)).toThrow('longer than 10 bytes');
  expect(reading([1, 2], 2)().at).toBe(2);
});

/** Where a text's copy by 16 bytes, or its length's size, changes; the last is more than is taken. */
const LENGTHS = [0, 1, 15, 16, 17, 31, 32, 127, 128, 129, 4095, 16_383, 16_384, 300_000];

const text = fc
  .tuple(
    fc.oneof(
      { weight: 9, arbitrary: fc.nat(60) },
      { weight: 1, arbitrary: fc.constantFrom(...LENGTHS) },
    ),
    fc.integer({ min: 1, max: 255 }),
  )
  .map(([length, byte]) => Buffer.alloc(length, byte));

class Encoded implements TextTarget {
  readonly pieces: Buffer[] = [];
  count = 0;

  texts(encoded: Uint8Array, count: number): void {
    this.pieces.push(Buffer.from(encoded));
    this.count += count;
  }
}

test('texts go to their columns in turn, each with its length, until one is too long', () => {
  const around = fc.array(fc.nat(255), { maxLength: 20 });
  const columns = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(100, TEXT_COLUMNS_MAX));
  fc.assert(
    fc.property(fc.array(text), columns, fc.nat(), around, around, (texts, width, turn, ...gap) => {
      const [before, behind] = gap.map((bytes) => Buffer.from(bytes)) as [Buffer, Buffer];
      const packed = texts.map((each) => Buffer.concat([each, Buffer.of(0)]));
      const bytes = Buffer.concat([before, ...packed, behind]);
      const to = bytes.length - behind.length;
      const targets = Array.from({ length: width }, () => new Encoded());
      let at = before.length;
      let done = 0;
      for (let more = true; more && done < texts.length; ) {
        const first = (turn + done) % width;
        const taken = takeTexts(bytes, at, to, { targets, first, count: texts.length - done });
        at = taken.at;
        done += taken.count;
        more = taken.count > 0;
      }
      const room = 750_000 / width; // a little less than all
      const tooLong = texts.findIndex(({ length }) => length > Math.min(room - 100, 4000));
      expect(done).toBeGreaterThanOrEqual(tooLong < 0 ? texts.length : tooLong);
      expect(at).toBe(before.length + Buffer.concat(packed.slice(0, done)).length);
      targets.forEach((target, column) => {
        const own = texts.slice(0, done).filter((_, index) => (turn + index) % width === column);
        expect(target.count).toBe(own.length);
        expect(Buffer.concat(target.pieces).equals(Buffer.concat(own.map(lengthAndBytes)))).toBe(
          true,
        );
      });
    }),
    { numRuns: 500 },
  );
});

test('a text that has no NUL in time is not taken', () => {
  const target = new Encoded();
  const taking = (bytes: number[], to: number) =>
    takeTexts(Uint8Array.from(bytes), 0, to, { targets: [target], first: 0, count: 9 });
  expect(taking([65, 0, 66, 67, 0], 4)).toEqual({ count: 1, at: 2 });
  expect(taking([66, 67, 0], 2)).toEqual({ count: 0, at: 0 });
  expect(taking([], 0)).toEqual({ count: 0, at: 0 });
  expect(Buffer.concat(target.pieces).toString()).toBe('\x01A');
});
