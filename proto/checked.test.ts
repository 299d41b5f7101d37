import fc from 'fast-check';
import { expect, test } from 'vitest';
import { opened, sealed } from './checked.ts';

test('what was sealed opens as it was', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(opened(sealed(Buffer.from(bytes)))).toEqual(Buffer.from(bytes));
    }),
  );
});

test('one flipped bit anywhere, or one byte less, does not open', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(), fc.nat(7), (bytes, at, bit) => {
      const whole = sealed(Buffer.from(bytes));
      expect(() => opened(whole.subarray(0, -1))).toThrow('checksum is wrong');
      const index = at % whole.length;
      whole[index] = (whole[index] ?? 0) ^ (1 << bit);
      expect(() => opened(whole)).toThrow('checksum is wrong');
    }),
  );
});
