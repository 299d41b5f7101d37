/** Detects a file's format by its first bytes, never by its name, and chooses the stages that convert it. */
import { BigtraceError } from '../../common/errors.ts';
import { Bzip2Decoder } from './compression/bzip2.ts';
import { type Codec, Decompressing } from './compression/codec.ts';
import { Lz4Decoder } from './compression/lz4.ts';
import { XzDecoder } from './compression/xz.ts';
import { ZstdDecoder } from './compression/zstd.ts';
import type { Sink } from './stage.ts';
import { markedEncoding, Reencoding } from './text.ts';

export interface FileContext {
  /** The stage that passes bytes to the engine. */
  output: Sink;
  /** Creates a stage for a trace in Perfetto's own format, which passes its output to `output`. */
  packets: () => Sink;
  zstd: WebAssembly.Module;
  unpacked: (bytes: number) => void;
}

/** Enough bytes to detect every format that is converted here. */
const HEAD_BYTES = 16;
/** The first byte of a trace in Perfetto's own format. */
const PACKET_TAG = 0x0a;
/** Accepted layers of compression. A file may be compressed several times by mistake; more are taken as an attack. */
const LAYERS_MAX = 4;

export class FileStart implements Sink {
  readonly #context: FileContext;
  readonly #layer: number;
  #head: Buffer = Buffer.alloc(0);
  #stage: Sink | undefined;

  constructor(context: FileContext, layer = 0) {
    this.#context = context;
    this.#layer = layer;
  }

  push(bytes: Uint8Array): void {
    if (this.#stage !== undefined) {
      this.#stage.push(bytes);
      return;
    }
    const head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
    if (head.length < HEAD_BYTES) this.#head = Buffer.from(head);
    else this.#begin(head);
  }

  end(): void {
    if (this.#stage === undefined) this.#begin(this.#head);
    this.#stage?.end();
  }

  #begin(head: Uint8Array): void {
    this.#head = Buffer.alloc(0);
    this.#stage = this.#stageFor(head);
    if (head.length > 0) this.#stage.push(head);
  }

  #stageFor(head: Uint8Array): Sink {
    const { output, packets, unpacked } = this.#context;
    if (head[0] === PACKET_TAG) return packets();
    const codec = this.#codecFor(head);
    if (codec !== undefined) {
      if (this.#layer === LAYERS_MAX)
        throw new BigtraceError(
          'limit_exceeded',
          `the trace is compressed more than ${LAYERS_MAX} times over, the bound`,
        );
      return new Decompressing(codec, new FileStart(this.#context, this.#layer + 1), unpacked);
    }
    const encoding = markedEncoding(head);
    return encoding === undefined ? output : new Reencoding(encoding, output);
  }

  #codecFor(head: Uint8Array): Codec | undefined {
    if (begins(head, [0x28, 0xb5, 0x2f, 0xfd]) || isSkippableFrame(head))
      return new ZstdDecoder(this.#context.zstd);
    if (begins(head, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return new XzDecoder();
    if (begins(head, [0x42, 0x5a, 0x68]) && isBzip2Block(head)) return new Bzip2Decoder();
    if (begins(head, [0x04, 0x22, 0x4d, 0x18])) return new Lz4Decoder();
    return undefined;
  }
}

/** Whether a skippable frame begins. zstd and lz4 share them; zstd tools write them (pzstd, seekable archives). */
function isSkippableFrame(head: Uint8Array): boolean {
  return ((head[0] ?? 0) & 0xf0) === 0x50 && begins(head.subarray(1), [0x2a, 0x4d, 0x18]);
}

/** Whether the first block, or the end of an empty stream, follows the header. `BZh` alone may also begin a text. */
function isBzip2Block(head: Uint8Array): boolean {
  const block = head.subarray(4);
  return (
    begins(block, [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]) ||
    begins(block, [0x17, 0x72, 0x45, 0x38, 0x50, 0x90])
  );
}

function begins(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, at) => bytes[at] === byte);
}
