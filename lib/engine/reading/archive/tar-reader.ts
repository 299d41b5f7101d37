/** Reads a tar file as its bytes arrive. */
import { cutShort } from '../../../common/archive/damage.ts';
import {
  TAR_BLOCK_BYTES as BLOCK_BYTES,
  checkTarAttributes,
  checkTarHeader,
  describeTarType,
  tarAttributesIn,
  tarMemberKind,
  tarNameIn,
  tarPadding,
  tarSizeIn,
  tarTypeIn,
  untilZero,
} from '../../../common/archive/tar-header.ts';
import type { Sink } from '../stage.ts';
import type { MemberSink } from './members.ts';

const ZEROS = Buffer.alloc(BLOCK_BYTES);
/** The types that TraceProcessor reads; of another one, only a member without content. */
const ENGINE_TYPES = new Set(['0', '\0', '5', 'L']);

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
    checkTarHeader(header);
    const type = tarTypeIn(header);
    const own = tarSizeIn(header);
    if (own > 0 && !ENGINE_TYPES.has(type)) this.#beyondEngine();
    const kind = tarMemberKind(type);
    if (kind === 'attributes') this.#open(own, this.#attributes(type, own));
    else if (kind === 'ignored') this.#open(own, undefined);
    else this.#begin(header, type, this.#bytes ?? own);
    return BLOCK_BYTES;
  }

  #begin(header: Buffer, type: string, bytes: number): void {
    const member = { name: this.#name ?? tarNameIn(header), modified: modifiedIn(header) };
    [this.#name, this.#bytes] = [undefined, undefined];
    const kind = tarMemberKind(type);
    if (kind === 'file') {
      this.#open(bytes, this.#members.file(member));
      return;
    }
    this.#members.other(member, kind === 'directory' ? undefined : describeTarType(type));
    this.#open(bytes, undefined);
  }

  #open(bytes: number, sink: Sink | undefined): void {
    this.#content = { left: bytes, padding: tarPadding(bytes), sink };
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
    checkTarAttributes(length);
    const pieces: Buffer[] = [];
    return {
      push: (bytes) => pieces.push(Buffer.from(bytes)),
      end: () => {
        const { name = this.#name, bytes = this.#bytes } = tarAttributesIn(
          type,
          Buffer.concat(pieces),
        );
        [this.#name, this.#bytes] = [name, bytes];
      },
    };
  }
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
