/** Writes protobuf's wire format. */
import { WIRE_BYTES, WIRE_VARINT } from './wire.ts';

/** Appends a varint to a list of bytes. */
export function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/** Appends the tag of a varint field. */
export function pushVarintTag(bytes: number[], field: number): void {
  pushVarint(bytes, field * 8 + WIRE_VARINT);
}

/** Appends the tag and length of a length-delimited field; the caller appends the contents. */
export function pushLengthTag(bytes: number[], field: number, length: number): void {
  pushVarint(bytes, field * 8 + WIRE_BYTES);
  pushVarint(bytes, length);
}

/** Returns the tag and length of a length-delimited field. */
export function fieldHead(field: number, length: number): Buffer {
  const head: number[] = [];
  pushLengthTag(head, field, length);
  return Buffer.from(head);
}

/** Returns a length-delimited field, which holds bytes, a string or a message. */
export function bytesField(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([fieldHead(field, bytes.length), bytes]);
}
