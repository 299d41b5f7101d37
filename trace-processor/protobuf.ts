/** Writing protobuf's wire format, as far as requests to TraceProcessor need it. */

const VARINT = 0;
const LENGTH = 2;

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
  pushVarint(bytes, field * 8 + VARINT);
}

/** Appends tag and length of a length-delimited field, whose contents follow. */
export function pushLengthTag(bytes: number[], field: number, length: number): void {
  pushVarint(bytes, field * 8 + LENGTH);
  pushVarint(bytes, length);
}
