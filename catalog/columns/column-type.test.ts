import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnType, kindOfInteger, kindOfText, type ValueKind } from './column-type.ts';

test.each([
  ['7', 'integer'],
  ['-7', 'integer'],
  ['0', 'integer'],
  ['9007199254740992', 'integer'],
  ['9007199254740993', 'wide integer'],
  ['9223372036854775807', 'wide integer'],
  ['-9223372036854775808', 'wide integer'],
  ['9223372036854775808', 'text'],
  ['2.75', 'double'],
  ['1.0', 'double'],
  ['-0.5', 'double'],
  ['1.5e-7', 'double'],
  ['0042', 'text'],
  ['-0', 'text'],
  ['+7', 'text'],
  ['1e5', 'text'],
  ['1E5', 'text'],
  ['1.10', 'text'],
  ['1.5.2', 'text'],
  [' 7', 'text'],
  ['0.1000000000000000055511151231257827', 'text'],
  ['Infinity', 'text'],
  ['nan', 'text'],
  ['0x10', 'text'],
])('the text %s is a %s', (text, kind) => {
  expect(kindOfText(text)).toBe(kind);
});

test('a column type represents every value exactly, or is String', () => {
  const value = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.integer());
  const double = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(fc.array(fc.oneof(value, double), { minLength: 1 }), (values) => {
      const texts = values.map((one) => (Object.is(one, -0) ? '-0.0' : String(one)));
      const type = columnType(new Set(texts.map(kindOfText)));
      for (const text of texts) {
        if (type === 'Int64') expect(String(BigInt.asIntN(64, BigInt(text)))).toBe(text);
        if (type === 'Float64' && /^-?\d+$/.test(text))
          expect(BigInt(Number(text))).toBe(BigInt(text));
      }
    }),
  );
});

test('the column type does not depend on the order of values', () => {
  const kinds: ValueKind[] = ['integer', 'wide integer', 'double', 'text'];
  fc.assert(
    fc.property(fc.uniqueArray(fc.constantFrom(...kinds)), (seen) => {
      expect(columnType(new Set(seen))).toBe(columnType(new Set(seen.toReversed())));
    }),
  );
  expect(columnType(new Set(['integer', 'double']))).toBe('Float64');
  expect(columnType(new Set(['integer', 'wide integer', 'double']))).toBe('String');
  expect(kindOfInteger(2n ** 53n + 1n)).toBe('wide integer');
});
