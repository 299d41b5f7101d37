/**
 * Reads one trace into an engine: it converts what the engine cannot read, and reports what the engine would ignore
 * silently. All decisions about a trace's bytes are made here.
 */
import { BigtraceError } from '../../common/errors.ts';
import { plainPackets } from '../native/native-instance.ts';
import type { EngineCode } from '../wasm/module-instance.ts';
import { MemberCounts } from './archive/archive-members.ts';
import { CodecsInUse } from './compression/codec.ts';
import { ZstdDecoder } from './compression/zstd.ts';
import { FileStart } from './file-start.ts';
import { Findings } from './findings.ts';
import type { PacketFields } from './packets/packet-fields.ts';
import { ProtoPackets } from './packets/proto-packets.ts';
import { PieceBuffer } from './piece-buffer.ts';
import { ReadAgain, type ReadingMode } from './read-again.ts';
import type { Sink } from './stage.ts';

/** Part of the engine version. Increment it when a change of the reading may change the results of a trace. */
export const READING_VERSION = 3;

/** The parts of an Engine that reading needs. */
export interface ReadingParts {
  packetFields: PacketFields | undefined;
  zstd: WebAssembly.Module;
  code: EngineCode;
}

/** What receives the trace: TraceProcessor. */
export interface ReadingEngine {
  append(bytes: Uint8Array): void;
  finalize(): void;
  tellWarnings(warnings: ReadonlyMap<string, number>): void;
}

export interface ReadingOptions {
  mode: ReadingMode;
  /** Bound of the decompressed bytes of one trace. */
  unpackedBytesMax: number;
}

export class TraceReading {
  readonly findings = new Findings();
  readonly #parts: ReadingParts;
  readonly #options: ReadingOptions;
  readonly #engine: ReadingEngine;
  readonly #output: PieceBuffer;
  readonly #stage: Sink;
  readonly #counts = new MemberCounts();
  readonly #codecs = new CodecsInUse();
  #zstd: ZstdDecoder | undefined;
  /** What is wrong with an archive, although the engine may read it without an error. */
  #damage: BigtraceError | undefined;

  /** `engine` must be empty; it holds the trace after `end`. */
  constructor(parts: ReadingParts, options: ReadingOptions, engine: ReadingEngine) {
    this.#parts = parts;
    this.#options = options;
    this.#engine = engine;
    this.#output = new PieceBuffer((bytes) => engine.append(bytes));
    const context = {
      ...{ mode: options.mode, findings: this.findings, counts: this.#counts },
      ...{ zstd: parts.zstd, codecs: this.#codecs },
      packets: (output: Sink, changed: () => void) => this.#packets(output, changed),
      unpacked: (bytes: number) => this.#countUnpacked(bytes),
      changed: () => {},
      refuse: (damage: BigtraceError) => {
        this.#damage ??= damage;
      },
      probing: false,
    };
    this.#stage = new FileStart(context, this.#output);
  }

  /** Memory that decompressing takes now, outside the engine. */
  get memoryBytes(): number {
    return this.#codecs.memoryBytes;
  }

  /** Reads the next bytes. @throws BigtraceError trace_invalid, limit_exceeded; ReadAgain; what the engine throws */
  push(bytes: Uint8Array): void {
    this.#orAgain(() => this.#stage.push(bytes));
  }

  /** Ends the trace; after that, scripts can run on it. @throws as push */
  end(): void {
    this.#orAgain(() => {
      this.#stage.end();
      this.#engine.finalize();
      if (this.#damage !== undefined) throw this.#damage;
    });
    this.#engine.tellWarnings(this.findings.warnings());
  }

  /** Returns the stage for a trace in Perfetto's own format. */
  #packets(output: Sink, changed: () => void): Sink {
    const { code, packetFields: known = new Uint8Array() } = this.#parts;
    const plain = plainPackets(code);
    return new ProtoPackets(output, {
      changed,
      afterPlain: plain && ((bytes, at) => plain(bytes, at, known)),
      packetFields: this.#parts.packetFields,
      mode: this.#options.mode,
      findings: this.findings,
      zstd: () => {
        this.#zstd ??= this.#codecs.begin(new ZstdDecoder(this.#parts.zstd));
        return this.#zstd;
      },
      unpacked: (bytes) => this.#countUnpacked(bytes),
    });
  }

  #countUnpacked(bytes: number): void {
    this.findings.unpackedBytes += bytes;
    const { unpackedBytesMax } = this.#options;
    if (this.findings.unpackedBytes > unpackedBytesMax)
      throw new BigtraceError(
        'limit_exceeded',
        `the trace decompresses to more than ${unpackedBytesMax} bytes, the bound (--trace-bytes-max)`,
      );
  }

  #orAgain(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      throw this.#again(thrown) ?? thrown;
    }
  }

  /** Returns the other way to read the trace after the engine failed with `thrown`, if there is one. */
  #again(thrown: unknown): ReadAgain | undefined {
    if (!(thrown instanceof BigtraceError)) return undefined;
    const { mode } = this.#options;
    if (/re-introduced with different type/.test(thrown.detail) && !mode.withoutDescriptors)
      return new ReadAgain({ ...mode, withoutDescriptors: true });
    const { traces, others } = this.#counts;
    const isOfAMember = /Unknown trace type|Ninja traces/.test(thrown.detail);
    return isOfAMember && traces > 0 && others > 0 && mode.archives !== 'traces only'
      ? new ReadAgain({ ...mode, archives: 'traces only' })
      : undefined;
  }
}
