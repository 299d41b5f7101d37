/**
 * Reads a zip file from its first byte to its last, as TraceProcessor does: by the headers before the members. The directory
 * at the end tells only whether the file is whole. It reads what TraceProcessor refuses, too: UTF-8 names, zip64, and other compressions.
 */
import { crc32 } from 'node:zlib';
import { cutShort, damagedData } from '../../../common/archive/damage.ts';
import { BigtraceError } from '../../../common/errors.ts';
import { Bzip2Decoder } from '../compression/bzip2.ts';
import type { Codec, CodecsInUse } from '../compression/codec.ts';
import { XzDecoder } from '../compression/xz.ts';
import { ZstdDecoder } from '../compression/zstd.ts';
import type { Sink } from '../stage.ts';
import { Inflater } from './inflate.ts';
import type { MemberHead, MemberSink } from './members.ts';
import { ZipDirectory } from './zip-directory.ts';

const MEMBER = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const HEADER_BYTES = 30;
const FLAG = { ENCRYPTED: 1, SIZES_FOLLOW: 8 } as const;
const METHOD = { STORED: 0, DEFLATE: 8, BZIP2: 12, ZSTD: 93, XZ: 95 } as const;
const IN_ZIP64 = 0xffffffff;
/** TraceProcessor reads no higher version, and no flags but the lowest four. */
const ENGINE_VERSION_MAX = 20;
const ENGINE_FLAGS = 15;

interface OpenMember {
  label: string;
  sink: Sink;
  decoder: Inflater | Codec | undefined;
  /** Compressed bytes that are still to come; undefined if the end of the deflate data tells it. */
  left: number | undefined;
  /** The checksum that the header states; undefined if it follows the data. */
  expected: number | undefined;
  packedBytes: number;
  bytes: number;
  checksum: number;
}

export interface ZipContext {
  zstd: WebAssembly.Module;
  codecs: CodecsInUse;
  /** Counts decompressed bytes. @throws BigtraceError limit_exceeded */
  unpacked: (bytes: number) => void;
  /** Called if the file is cut short within the directory, after all members. */
  warn: (text: string) => void;
  /** Called for a member that TraceProcessor would refuse although it can be read here. */
  beyondEngine: () => void;
}

export class ZipReader implements Sink {
  readonly #members: MemberSink;
  readonly #context: ZipContext;
  #held: Buffer = Buffer.alloc(0);
  #member: OpenMember | undefined;
  #memberCount = 0;
  #directory: ZipDirectory | undefined;

  constructor(members: MemberSink, context: ZipContext) {
    this.#members = members;
    this.#context = context;
  }

  push(bytes: Uint8Array): void {
    let rest: Buffer = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
    if (this.#held.length > 0) rest = Buffer.concat([this.#held, rest]);
    for (let used = -1; used !== 0 && !this.#isDone; ) {
      used = this.#step(rest);
      rest = rest.subarray(used);
    }
    this.#held = this.#isDone ? Buffer.alloc(0) : Buffer.from(rest);
  }

  get #isDone(): boolean {
    return this.#directory?.ended === true;
  }

  #step(rest: Buffer): number {
    if (this.#directory !== undefined) return this.#directory.next(rest);
    if (this.#member !== undefined) return this.#content(this.#member, rest);
    if (rest.length < 4) return 0;
    if (rest.readUInt32LE(0) === MEMBER) return this.#header(rest);
    if (rest[0] !== 0x50 || rest[1] !== 0x4b) throw damagedData('zip', 'a member has no header');
    this.#directory = new ZipDirectory(this.#memberCount);
    return this.#directory.next(rest);
  }

  end(): void {
    if (this.#directory === undefined) throw cutShort('zip');
    if (!this.#isDone)
      this.#context.warn('the directory of the zip file is cut short, after all its members');
    this.#members.end();
  }

  /** Reads the header of a member. @returns its length; 0 while it is incomplete */
  #header(rest: Buffer): number {
    if (rest.length < HEADER_BYTES) return 0;
    const nameEnd = HEADER_BYTES + rest.readUInt16LE(26);
    const end = nameEnd + rest.readUInt16LE(28);
    if (rest.length < end) return 0;
    const head = {
      name: Buffer.from(rest.subarray(HEADER_BYTES, nameEnd)),
      modified: rest.readUInt32LE(10),
    };
    this.#open(head, rest.subarray(0, HEADER_BYTES), rest.subarray(nameEnd, end));
    return end;
  }

  #open(head: MemberHead, header: Buffer, extra: Buffer): void {
    this.#memberCount++;
    const label = JSON.stringify(head.name.toString('utf8'));
    const [version, flags, method] = [4, 6, 8].map((at) => header.readUInt16LE(at)) as [
      number,
      number,
      number,
    ];
    if ((flags & FLAG.ENCRYPTED) !== 0)
      throw new BigtraceError(
        'trace_invalid',
        `member ${label} of the zip is encrypted; decrypt it first`,
      );
    const isRead = method === METHOD.STORED || method === METHOD.DEFLATE;
    if (version > ENGINE_VERSION_MAX || (flags & ~ENGINE_FLAGS) !== 0 || !isRead)
      this.#context.beyondEngine();
    const sizesFollow = (flags & FLAG.SIZES_FOLLOW) !== 0;
    if (sizesFollow && method !== METHOD.DEFLATE)
      throw damagedData('zip', `the size of its member ${label} is unknown before its data`);
    const packedBytes = packedBytesOf(header, extra);
    if (head.name.at(-1) === 0x2f && !sizesFollow && packedBytes === 0) {
      this.#members.other(head, undefined);
      return;
    }
    const decoder = this.#decoder(method, label);
    if (decoder !== undefined && !(decoder instanceof Inflater))
      this.#context.codecs.begin(decoder);
    this.#member = {
      label,
      sink: this.#members.file(head),
      decoder,
      left: sizesFollow ? undefined : packedBytes,
      expected: sizesFollow ? undefined : header.readUInt32LE(14),
      packedBytes: 0,
      bytes: 0,
      checksum: 0,
    };
  }

  #decoder(method: number, label: string): Inflater | Codec | undefined {
    switch (method) {
      case METHOD.STORED:
        return undefined;
      case METHOD.DEFLATE:
        return new Inflater('raw');
      case METHOD.BZIP2:
        return new Bzip2Decoder();
      case METHOD.ZSTD:
        return new ZstdDecoder(this.#context.zstd);
      case METHOD.XZ:
        return new XzDecoder();
      default:
        throw damagedData('zip', `its member ${label} has the unknown compression ${method}`);
    }
  }

  /** Reads content of a member, or what follows it. @returns how many bytes; 0 while they are too few */
  #content(member: OpenMember, rest: Buffer): number {
    const { decoder, left } = member;
    if (left === undefined) {
      if (!(decoder instanceof Inflater)) throw new Error('a member without a size is deflated');
      if (decoder.ended) return this.#descriptor(member, rest);
      const used = decoder.push(rest, (piece) => this.#emit(member, piece, true));
      member.packedBytes += used;
      return used;
    }
    const piece = rest.subarray(0, left);
    if (decoder === undefined) this.#emit(member, piece, false);
    else decoder.push(piece, (output) => this.#emit(member, output, true));
    member.left = left - piece.length;
    if (member.left === 0) this.#closeSized(member);
    return piece.length;
  }

  #emit(member: OpenMember, piece: Uint8Array, unpacked: boolean): void {
    if (piece.length === 0) return;
    if (unpacked) this.#context.unpacked(piece.length);
    member.bytes += piece.length;
    member.checksum = crc32(piece, member.checksum);
    member.sink.push(piece);
  }

  #closeSized(member: OpenMember): void {
    const { decoder } = member;
    if (decoder instanceof Inflater) {
      if (!decoder.ended) throw damagedData('zip', `its member ${member.label} is cut short`);
    } else if (decoder !== undefined) {
      decoder.end((piece) => this.#emit(member, piece, true));
      this.#context.codecs.end(decoder);
    }
    this.#close(member, member.expected ?? 0);
  }

  /**
   * Reads the checksum and the sizes after a member. Their signature is optional, and the sizes have 32 or 64 bits:
   * what agrees with the content tells which. TraceProcessor reads only those with a signature and of 32 bits.
   */
  #descriptor(member: OpenMember, rest: Buffer): number {
    if (rest.length < 4) return 0;
    const from = rest.readUInt32LE(0) === DESCRIPTOR ? 4 : 0;
    if (from === 0) this.#context.beyondEngine();
    if (rest.length < from + 14) return 0;
    const { packedBytes, bytes, label } = member;
    const isShort =
      rest.readUInt32LE(from + 4) === packedBytes % 2 ** 32 &&
      rest.readUInt32LE(from + 8) === bytes % 2 ** 32 &&
      (bytes > 0 || rest.toString('latin1', from + 12, from + 14) === 'PK');
    if (!isShort) this.#context.beyondEngine();
    const end = from + (isShort ? 12 : 20);
    if (rest.length < end) return 0;
    const isLong = (): boolean =>
      Number(rest.readBigUInt64LE(from + 4)) === packedBytes &&
      Number(rest.readBigUInt64LE(from + 12)) === bytes;
    if (!isShort && !isLong())
      throw damagedData('zip', `the size of its member ${label} does not match`);
    this.#close(member, rest.readUInt32LE(from));
    return end;
  }

  #close(member: OpenMember, expected: number): void {
    if (member.checksum !== expected)
      throw damagedData('zip', `the checksum of its member ${member.label} does not match`);
    this.#member = undefined;
    member.sink.end();
  }
}

/** Returns the compressed size, which zip64 puts into an extra field. */
function packedBytesOf(header: Buffer, extra: Buffer): number {
  const [packed, unpacked] = [header.readUInt32LE(18), header.readUInt32LE(22)];
  if (packed !== IN_ZIP64) return packed;
  for (let at = 0; at + 4 <= extra.length; ) {
    const [id, length] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)];
    const value = at + 4 + (unpacked === IN_ZIP64 ? 8 : 0);
    if (id === 1 && value + 8 <= extra.length) return Number(extra.readBigUInt64LE(value));
    at += 4 + length;
  }
  throw damagedData('zip', 'a member has no size');
}
