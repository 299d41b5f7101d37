/** Detects a file's format by its first bytes, never by its name, and chooses the stages that convert it. */
import { BigtraceError } from '../../common/errors.ts';
import { PACKET_TAG, textFormat } from '../first-bytes.ts';
import {
  ArchiveMembers,
  type Judge,
  type MemberCounts,
  NOWHERE,
} from './archive/archive-members.ts';
import { ArchiveProbe } from './archive/archive-probe.ts';
import { GzipDecoder } from './archive/inflate.ts';
import type { MemberSink } from './archive/members.ts';
import { TarReader } from './archive/tar-reader.ts';
import { ZipReader } from './archive/zip-reader.ts';
import { ZipWriter } from './archive/zip-writer.ts';
import { Bzip2Decoder } from './compression/bzip2.ts';
import { type Codec, type CodecsInUse, Decompressing } from './compression/codec.ts';
import { Lz4Decoder } from './compression/lz4.ts';
import { XzDecoder } from './compression/xz.ts';
import { ZstdDecoder } from './compression/zstd.ts';
import type { Findings } from './findings.ts';
import { FuchsiaRecords, isFuchsia } from './plain/fuchsia-records.ts';
import { JsonDocument } from './plain/json-document.ts';
import { TextEnd } from './plain/text-end.ts';
import { ReadAgain, type ReadingMode } from './read-again.ts';
import type { Sink } from './stage.ts';
import { decodedStart, markedEncoding, Reencoding } from './text.ts';

export interface FileContext {
  mode: ReadingMode;
  findings: Findings;
  counts: MemberCounts;
  /** Creates a stage for a trace in Perfetto's own format. It calls `changed` before its output first differs. */
  packets: (output: Sink, changed: () => void) => Sink;
  zstd: WebAssembly.Module;
  codecs: CodecsInUse;
  /** Counts decompressed bytes. @throws BigtraceError limit_exceeded */
  unpacked: (bytes: number) => void;
  /** Called where the output begins to differ from the file. @throws ReadAgain if the file should have been rewritten */
  changed: () => void;
  /** Receives what is wrong with an archive that the engine reads itself. */
  refuse: (damage: BigtraceError) => void;
  /** Whether archives are only looked at: the engine receives them unchanged. */
  probing: boolean;
}

/** Enough bytes to detect every format that is converted here, and to tell what is no trace. */
const HEAD_BYTES = 1024;
/** Accepted layers of compression and archives. A file may be compressed several times by mistake; more are an attack. */
const LAYERS_MAX = 4;
const TAR_MAGIC_AT = 257;

export class FileStart implements Sink {
  readonly #context: FileContext;
  readonly #output: Sink;
  readonly #judge: Judge;
  readonly #layer: number;
  #head: Buffer = Buffer.alloc(0);
  #stage: Sink | undefined;

  /** `judge` decides about a file that is a member of an archive. */
  constructor(context: FileContext, output: Sink, judge: Judge = () => true, layer = 0) {
    this.#context = context;
    this.#output = output;
    this.#judge = judge;
    this.#layer = layer;
  }

  /** Whether the file is passed on as it is, so that nobody needs to look at the rest of it. */
  get isPlain(): boolean {
    return this.#stage === this.#output;
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
    const { packets, unpacked, changed } = this.#context;
    const container = this.#containerFor(head);
    if (container !== undefined) return container;
    const isText = textFormat(Buffer.from(head)) !== undefined; // it may begin with a line feed, which is PACKET_TAG
    if (head[0] === PACKET_TAG && !isText) {
      this.#judge(head);
      return packets(this.#output, changed);
    }
    const codec = this.#codecFor(head);
    if (codec !== undefined) {
      changed();
      return new Decompressing(
        codec,
        this.#inner(this.#context, this.#output),
        unpacked,
        this.#context.codecs,
      );
    }
    const encoding = markedEncoding(head);
    const start = encoding === undefined ? head : decodedStart(encoding, head);
    if (!this.#judge(start)) return NOWHERE;
    const output = this.#checked(start);
    if (encoding === undefined) return output;
    changed();
    return new Reencoding(encoding, output);
  }

  /** Returns the stage that tells whether a file of a format without packets is whole; the output for other files. */
  #checked(start: Uint8Array): Sink {
    const { findings } = this.#context;
    if (isFuchsia(start)) return new FuchsiaRecords(this.#output, findings);
    const format = textFormat(Buffer.from(start));
    if (format === undefined) return this.#output;
    return format === 'json'
      ? new JsonDocument(this.#output, findings)
      : new TextEnd(this.#output, findings, format);
  }

  /** Returns the stage for a file whose content is this file's, decompressed. @throws limit_exceeded */
  #inner(context: FileContext, output: Sink): FileStart {
    return new FileStart(context, output, this.#judge, this.#nextLayer());
  }

  #nextLayer(): number {
    if (this.#layer === LAYERS_MAX)
      throw new BigtraceError(
        'limit_exceeded',
        `the trace is compressed more than ${LAYERS_MAX} times over, the bound`,
      );
    return this.#layer + 1;
  }

  /** Returns the stage for a container that the engine reads, too; undefined for other files. */
  #containerFor(head: Uint8Array): Sink | undefined {
    const context = this.#context;
    const isGzip = begins(head, [0x1f, 0x8b]);
    if (!isGzip && !isZip(head) && !isTar(head)) return undefined;
    if (context.mode.archives !== 'unchanged' || context.probing)
      return this.#contentOf(head, context, this.#output);
    const probing: FileContext = {
      ...context,
      probing: true,
      changed: () => {
        throw new ReadAgain({ ...context.mode, archives: 'rewritten' });
      },
    };
    const { refuse } = context;
    if (!isGzip)
      return new ArchiveProbe(this.#output, this.#contentOf(head, probing, NOWHERE), refuse);
    const inner = this.#inner(probing, NOWHERE);
    const look = new Decompressing(new GzipDecoder(), inner, context.unpacked, context.codecs);
    return new ArchiveProbe(this.#output, look, refuse, () => !inner.isPlain);
  }

  /** Returns the stage that passes on what a container holds: the file in it, or its members in another archive. */
  #contentOf(head: Uint8Array, context: FileContext, output: Sink): Sink {
    const { unpacked, changed, zstd, codecs, probing } = context;
    if (begins(head, [0x1f, 0x8b]))
      return new Decompressing(new GzipDecoder(), this.#inner(context, output), unpacked, codecs);
    const layer = this.#nextLayer();
    const { mode, counts, findings } = context;
    const members: MemberSink = new ArchiveMembers(
      {
        ...{ archives: mode.archives, counts, findings, changed },
        readMember: (into, judge) => new FileStart(context, into, judge, layer),
      },
      probing ? undefined : new ZipWriter(output),
    );
    return isZip(head)
      ? new ZipReader(members, {
          ...{ zstd, codecs, unpacked, beyondEngine: changed },
          warn: (text) => findings.warn(text),
        })
      : new TarReader(members, changed);
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

function isZip(head: Uint8Array): boolean {
  return begins(head, [0x50, 0x4b, 0x03, 0x04]);
}

function isTar(head: Uint8Array): boolean {
  const magic = Buffer.from(head.subarray(TAR_MAGIC_AT, TAR_MAGIC_AT + 8)).toString('latin1');
  return magic.startsWith('ustar\0') || magic === 'ustar  \0';
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
