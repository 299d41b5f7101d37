/** Reads a tar file: ustar, GNU and pax. */
import { cutShort, damagedData } from '../compression/codec.ts';
import type { Sink } from '../stage.ts';
import type { MemberSink } from './members.ts';

const BLOCK_BYTES = 512;
const ZEROS = Buffer.alloc(BLOCK_BYTES);
const CHECKSUM_AT = 148;
const MAGIC_AT = 257;
/** Bound of a long name, and of the attributes that precede a member. */
const ATTRIBUTES_BYTES_MAX = 2 ** 20;

const OTHER: Record<string, string> = {
  '1': 'it is a link',
  '2': 'it is a symbolic link',
  '3': 'it is a device',
  '4': 'it is a device',
  '6': 'it is a pipe',
  S: 'it is a sparse file',
};
const FILES = new Set(['0', '\0', '7']);
const DIRECTORY = '5';
const ATTRIBUTES = new Set(['L', 'x']);
/** The types that TraceProcessor reads; of another one, only a member without content. */
const ENGINE_TYPES = new Set(['0', '\0', '5', 'L']);
/** Attributes of the whole archive, and the target of a link. */
const IGNORED = new Set(['g', 'K']);

interface Content {
  /** Bytes of content and of padding that are still to come. */
  left: number;
  padding: number;
  /** Receives the content; undefined if nobody needs it. */
  sink: Sink | undefined;
}

export class TarReader implements Sink {
  readonly #members: MemberSink;
  readonly #beyondEngine: () => void;
  #held: Buffer = Buffer.alloc(0);
  #content: Content | undefined;
  /** Blocks of zeros in a row; two end the archive. */
  #zeroBlocks = 0;
  /** Name and size of the next member, where they were stated before it. */
  #name: Buffer | undefined;
  #bytes: number | undefined;

  /** `beyondEngine` is called for a member that TraceProcessor would refuse. */
  constructor(members: MemberSink, beyondEngine: () => void) {
    this.#members = members;
    this.#beyondEngine = beyondEngine;
  }

  push(bytes: Uint8Array): void {
    let rest: Buffer = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
    if (this.#held.length > 0) rest = Buffer.concat([this.#held, rest]);
    for (let used = -1; used !== 0 && this.#zeroBlocks < 2; ) {
      used = this.#content === undefined ? this.#header(rest) : this.#pass(this.#content, rest);
      rest = rest.subarray(used);
    }
    this.#held = this.#zeroBlocks < 2 ? Buffer.from(rest) : Buffer.alloc(0);
  }

  end(): void {
    if (this.#zeroBlocks < 2) throw cutShort('tar');
    this.#members.end();
  }

  #header(rest: Buffer): number {
    if (rest.length < BLOCK_BYTES) return 0;
    const header = rest.subarray(0, BLOCK_BYTES);
    if (header.equals(ZEROS)) {
      this.#zeroBlocks++;
      return BLOCK_BYTES;
    }
    this.#zeroBlocks = 0;
    checkHeader(header);
    const type = header.toString('latin1', 156, 157);
    const own = sizeIn(header);
    if (own > 0 && !ENGINE_TYPES.has(type)) this.#beyondEngine();
    if (ATTRIBUTES.has(type)) this.#open(own, this.#attributes(type, own));
    else if (IGNORED.has(type)) this.#open(own, undefined);
    else this.#begin(header, type, this.#bytes ?? own);
    return BLOCK_BYTES;
  }

  #begin(header: Buffer, type: string, bytes: number): void {
    const member = { name: this.#name ?? nameIn(header), modified: modifiedIn(header) };
    [this.#name, this.#bytes] = [undefined, undefined];
    if (FILES.has(type)) {
      this.#open(bytes, this.#members.file(member));
      return;
    }
    const what = OTHER[type] ?? `it has the unknown type ${JSON.stringify(type)}`;
    this.#members.other(member, type === DIRECTORY ? undefined : what);
    this.#open(bytes, undefined);
  }

  #open(bytes: number, sink: Sink | undefined): void {
    this.#content = { left: bytes, padding: -bytes & (BLOCK_BYTES - 1), sink };
    if (bytes === 0) this.#close(this.#content);
  }

  #pass(content: Content, rest: Buffer): number {
    if (content.left > 0) {
      const piece = rest.subarray(0, content.left);
      content.left -= piece.length;
      if (piece.length > 0) content.sink?.push(piece);
      if (content.left === 0 && content.padding === 0) this.#close(content);
      return piece.length;
    }
    const used = Math.min(content.padding, rest.length);
    content.padding -= used;
    if (content.padding === 0) this.#close(content);
    return used;
  }

  #close({ sink }: Content): void {
    this.#content = undefined;
    sink?.end();
  }

  /** Returns the stage that keeps a long name, or the attributes of pax. */
  #attributes(type: string, length: number): Sink {
    if (length > ATTRIBUTES_BYTES_MAX)
      throw damagedData('tar', `the attributes of a member have ${length} bytes`);
    const pieces: Buffer[] = [];
    return {
      push: (bytes) => pieces.push(Buffer.from(bytes)),
      end: () => {
        const whole = Buffer.concat(pieces);
        if (type === 'L') this.#name = untilZero(whole);
        else this.#takePax(whole);
      },
    };
  }

  /** Reads the attributes `LENGTH NAME=VALUE\n` that replace the header's name and size. */
  #takePax(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const space = bytes.indexOf(0x20, at);
      const end = at + Number(bytes.toString('latin1', at, Math.max(at, space)));
      const equals = bytes.indexOf(0x3d, space);
      if (space < 0 || equals < 0 || !(end > equals && end <= bytes.length))
        throw damagedData('tar', 'the attributes of a member are malformed');
      const value = bytes.subarray(equals + 1, end - 1);
      const key = bytes.toString('latin1', space + 1, equals);
      if (key === 'path') this.#name = Buffer.from(value);
      if (key === 'size') this.#bytes = checkedSize(Number(value.toString('latin1')));
      at = end;
    }
  }
}

function checkHeader(header: Buffer): void {
  if (header.toString('latin1', MAGIC_AT, MAGIC_AT + 5) !== 'ustar')
    throw damagedData('tar', 'a member has no header');
  const stated = Number.parseInt(header.toString('latin1', CHECKSUM_AT, CHECKSUM_AT + 8), 8);
  let sum = 8 * 0x20;
  for (const [at, byte] of header.entries())
    if (at < CHECKSUM_AT || at >= CHECKSUM_AT + 8) sum += byte;
  if (sum !== stated) throw damagedData('tar', 'the checksum of a header does not match');
}

/** Reads a size: octal digits, or, with the highest bit set, a binary number. */
function sizeIn(header: Buffer): number {
  if ((header[124] ?? 0) >= 0x80) {
    let size = (header[124] ?? 0) & 0x7f;
    for (const byte of header.subarray(125, 136)) size = size * 256 + byte;
    return checkedSize(size);
  }
  const digits = untilZero(header.subarray(124, 136)).toString('latin1').trim();
  return checkedSize(/^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN);
}

function checkedSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0)
    throw damagedData('tar', 'the size of a member is no number');
  return size;
}

function nameIn(header: Buffer): Buffer {
  const name = untilZero(header.subarray(0, 100));
  const isPosix = header[MAGIC_AT + 5] === 0;
  const prefix = isPosix ? untilZero(header.subarray(345, 500)) : Buffer.alloc(0);
  return prefix.length === 0 ? Buffer.from(name) : Buffer.concat([prefix, Buffer.from('/'), name]);
}

/** Returns the time of the last change in zip's form, of which the engine takes the year of a log. */
function modifiedIn(header: Buffer): number {
  const seconds = Number.parseInt(untilZero(header.subarray(136, 148)).toString('latin1'), 8);
  const date = new Date((seconds || 0) * 1000);
  const year = Math.min(Math.max(date.getUTCFullYear(), 1980), 2107);
  const day = ((year - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate();
  const time =
    (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1);
  return ((day << 16) | time) >>> 0;
}

function untilZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
