import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readVarints } from './varints.ts';

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
