/** HPACK (RFC 7541) without a dynamic table: the server is told that it has no room. */
import { huffmanDecoded } from './huffman.ts';

/** Values by lower-case name; an array if a name occurs several times. */
export type Headers = Record<string, string | string[]>;

/** A header block that breaks the format. */
export class MalformedHeaders extends Error {}

const STATIC_TABLE: readonly string[] =
  `:authority||:method|GET|:method|POST|:path|/|:path|/index.html|:scheme|http|:scheme|https|:status|200|:status|204
:status|206|:status|304|:status|400|:status|404|:status|500|accept-charset||accept-encoding|gzip, deflate
accept-language||accept-ranges||accept||access-control-allow-origin||age||allow||authorization||cache-control|
content-disposition||content-encoding||content-language||content-length||content-location||content-range|
content-type||cookie||date||etag||expect||expires||from||host||if-match||if-modified-since||if-none-match||if-range|
if-unmodified-since||last-modified||link||location||max-forwards||proxy-authenticate||proxy-authorization||range|
referer||refresh||retry-after||server||set-cookie||strict-transport-security||transfer-encoding||user-agent||vary|
via||www-authenticate|`.split(/[|\n]/);

/** Returns a header block. Every field is literal and never indexed. */
export function encodeHeaders(headers: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [
      Buffer.of(0x10),
      ...[name, value].flatMap((text) => {
        const bytes = Buffer.from(text, 'latin1');
        return [encodeInteger(bytes.length), bytes];
      }),
    ]),
  );
}

/** Encodes a number with a prefix of seven bits. */
function encodeInteger(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.of(...bytes, rest);
}

/** @throws MalformedHeaders */
export function decodeHeaders(block: Buffer): Headers {
  const headers: Headers = Object.create(null) as Headers;
  const reader = new Reader(block);
  while (!reader.isAtEnd) {
    const [name, value] = field(reader) ?? [];
    if (name === undefined || value === undefined) continue;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}

/** Returns the next field; undefined for a change of the size of the table. */
function field(reader: Reader): [name: string, value: string] | undefined {
  const first = reader.peek();
  if (first >= 0x80) {
    const index = reader.integer(7);
    return [staticEntry(index, 0), staticEntry(index, 1)];
  }
  if (first >= 0x20 && first < 0x40) {
    if (reader.integer(5) > 0)
      throw new MalformedHeaders('the dynamic table is larger than allowed');
    return undefined;
  }
  const index = reader.integer(first >= 0x40 ? 6 : 4);
  const name = index === 0 ? reader.text() : staticEntry(index, 0);
  return [name, reader.text()];
}

function staticEntry(index: number, part: 0 | 1): string {
  const text = STATIC_TABLE[(index - 1) * 2 + part];
  if (text === undefined) throw new MalformedHeaders(`there is no header ${index}`);
  return text;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  peek(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new MalformedHeaders('the headers are cut short');
    return byte;
  }

  #next(): number {
    const byte = this.peek();
    this.#at++;
    return byte;
  }

  /** Reads a number whose first `bits` bits are in the next byte. */
  integer(bits: number): number {
    const prefix = 2 ** bits - 1;
    let value = this.#next() & prefix;
    if (value < prefix) return value;
    for (let scale = 1; ; scale *= 128) {
      if (scale > 2 ** 28) throw new MalformedHeaders('a number is too large');
      const byte = this.#next();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  text(): string {
    const isHuffman = this.peek() >= 0x80;
    const length = this.integer(7);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    if (bytes.length < length) throw new MalformedHeaders('the headers are cut short');
    this.#at += length;
    const decoded = isHuffman ? huffmanDecoded(bytes) : bytes;
    if (decoded === undefined) throw new MalformedHeaders('a text breaks the Huffman code');
    return decoded.toString('latin1');
  }
}
