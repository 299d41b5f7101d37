/** Encodes lengths and strings for the formats Native and RowBinary. */

/** The most bytes that an encoded length has. */
export const LENGTH_BYTES = 5;

/** Writes a number below 2^32 as LEB128 (seven bits per byte). Returns the offset behind it. */
export function writeLength(bytes: Uint8Array, from: number, length: number): number {
  let at = from;
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}

/** Returns the bytes after their length. */
export function lengthAndBytes(bytes: Uint8Array): Buffer {
  const prefixed = Buffer.alloc(LENGTH_BYTES + bytes.length);
  const at = writeLength(prefixed, 0, bytes.length);
  prefixed.set(bytes, at);
  return prefixed.subarray(0, at + bytes.length);
}
