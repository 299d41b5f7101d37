import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { opened, sealed } from './checked.ts';

/** Seals a message made of these bytes, each reduced to 7 bits. */
function seal(bytes: Uint8Array): Buffer {
  const writer = protobuf.Writer.create();
  for (const byte of bytes) writer.uint32(byte & 0x7f);
  return sealed(writer);
}

test('opened returns the message that sealed was given', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(opened(seal(bytes))).toEqual(Buffer.from(bytes.map((byte) => byte & 0x7f)));
    }),
  );
});

test('opened rejects a message with a flipped bit or without its last byte', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(), fc.nat(7), (bytes, at, bit) => {
      const whole = seal(bytes);
      expect(() => opened(whole.subarray(0, -1))).toThrow('checksum is wrong');
      const index = at % whole.length;
      whole[index] = (whole[index] ?? 0) ^ (1 << bit);
      expect(() => opened(whole)).toThrow('checksum is wrong');
    }),
  );
});
