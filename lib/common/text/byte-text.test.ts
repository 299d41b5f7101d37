import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesFromText, printable, textFromBytes } from './byte-text.ts';

test('bytesFromText returns the bytes of any textFromBytes', () => {
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.array(
      fc.constantFrom(0x41, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xb2),
    ),
  );
  fc.assert(
    fc.property(bytes, (original) => {
      const buffer = Buffer.from(original);
      expect(bytesFromText(textFromBytes(buffer))).toEqual(buffer);
    }),
    { numRuns: 2000 },
  );
});

test('valid UTF-8 becomes the ordinary string', () => {
  expect(textFromBytes(Buffer.from('né 😀'))).toBe('né 😀');
  expect(bytesFromText('né 😀')).toEqual(Buffer.from('né 😀'));
});

test('printable escapes control characters and bytes that are not UTF-8', () => {
  expect(printable(textFromBytes(Buffer.from([0x61, 0x0a, 0xff, 0xc3, 0xa9])))).toBe(
    'a\\x0a\\xffé',
  );
  expect(printable('😀')).toBe('😀');
});
