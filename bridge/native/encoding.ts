/** Lengths and texts as the format Native has them. */

/** What a length takes at most. */
export const LENGTH_BYTES = 5;

/** An unsigned number below 2^32, seven bits a byte; returns the position behind it. */
export function writeLength(bytes: Uint8Array, from: number, length: number): number {
  let at = from;
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}

/** Its length, and the bytes. */
export function lengthAndBytes(bytes: Uint8Array): Buffer {
  const prefixed = Buffer.alloc(LENGTH_BYTES + bytes.length);
  const at = writeLength(prefixed, 0, bytes.length);
  prefixed.set(bytes, at);
  return prefixed.subarray(0, at + bytes.length);
}
