/** Just enough protobuf for TraceProcessor's RPC: a cursor over the fields of one message, and varints. */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** Walks the top-level fields of an encoded message; nested ones stay bytes. Makes no copies. */
export class FieldCursor {
  /** Number of the field at hand. */
  field = 0;
  /** Value of a varint field; exact below 2^53. */
  number = 0;
  /** Contents of a length-delimited field: a view into the message. */
  bytes: Uint8Array = EMPTY;
  readonly #message: Uint8Array;
  #at = 0;

  constructor(message: Uint8Array) {
    this.#message = message;
  }

  /** Steps to the next field; false at the end. @throws RangeError on bytes that are no protobuf. */
  next(): boolean {
    if (this.#at >= this.#message.length) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.number = 0;
    this.bytes = EMPTY;
    const wireType = tag % 8;
    if (wireType === VARINT) this.number = this.#varint();
    else if (wireType === LENGTH) this.bytes = this.#take(this.#varint());
    else if (wireType === FIXED64) this.#take(8);
    else if (wireType === FIXED32) this.#take(4);
    else throw new RangeError(`protobuf wire type ${wireType} is not known`);
    return true;
  }

  #take(length: number): Uint8Array {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#message.length) throw new RangeError('protobuf field is cut short');
    return this.#message.subarray(start, this.#at);
  }

  #varint(): number {
    const [value, length] = readVarint(this.#message, this.#at);
    if (length === 0) throw new RangeError('protobuf varint is cut short');
    this.#at += length;
    return value;
  }
}

const EMPTY = new Uint8Array(0);

/** The varint at `at` and its length in bytes, 0 where the bytes end before it does. */
export function readVarint(bytes: Uint8Array, at: number): [value: number, length: number] {
  let value = 0;
  let scale = 1;
  for (let length = 1; length <= 10; length++) {
    const byte = bytes[at + length - 1];
    if (byte === undefined) return [0, 0];
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, length];
    scale *= 128;
  }
  throw new RangeError('protobuf varint is longer than 10 bytes');
}

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
