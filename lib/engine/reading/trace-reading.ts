/**
 * Reads one trace on its way into an engine: what the engine cannot read is turned into what it can, and what it
 * would pass over is told. All that is decided about a trace's bytes is decided from here.
 */
import { BigtraceError } from '../../common/errors.ts';
import { ZstdDecoder } from './compression/zstd.ts';
import { FileStart } from './file-start.ts';
import { Findings } from './findings.ts';
import { Output } from './output.ts';
import type { PacketFields } from './packets/packet-fields.ts';
import { ProtoPackets } from './packets/proto-packets.ts';
import { ReadAgain, type ReadingMode } from './read-again.ts';
import type { Sink } from './stage.ts';

/** Belongs to the engine's version: other code here may give other answers of the same trace. */
export const READING_VERSION = 1;

/** What reading needs of an engine. */
export interface ReadingParts {
  packetFields: PacketFields | undefined;
  zstd: WebAssembly.Module;
}

/** What it gives the trace to: TraceProcessor. */
export interface ReadingEngine {
  append(bytes: Uint8Array): void;
  finalize(): void;
  tellWarnings(warnings: ReadonlyMap<string, number>): void;
}

export interface ReadingOptions {
  mode: ReadingMode;
  /** Bound of what is decompressed of one trace. */
  unpackedBytesMax: number;
}

export class TraceReading {
  readonly findings = new Findings();
  readonly #parts: ReadingParts;
  readonly #options: ReadingOptions;
  readonly #engine: ReadingEngine;
  readonly #output: Output;
  readonly #stage: Sink;
  #zstd: ZstdDecoder | undefined;

  /** `engine` is empty, and holds the trace after `end`. */
  constructor(parts: ReadingParts, options: ReadingOptions, engine: ReadingEngine) {
    this.#parts = parts;
    this.#options = options;
    this.#engine = engine;
    this.#output = new Output((bytes) => engine.append(bytes));
    this.#stage = new FileStart({
      output: this.#output,
      packets: () => this.#packets(),
      zstd: parts.zstd,
      unpacked: (bytes) => this.#countUnpacked(bytes),
    });
  }

  /** @throws BigtraceError trace_invalid, limit_exceeded; ReadAgain; what the engine throws */
  push(bytes: Uint8Array): void {
    this.#orAgain(() => this.#stage.push(bytes));
  }

  /** The trace can be asked then. @throws as push */
  end(): void {
    this.#orAgain(() => {
      this.#stage.end();
      this.#engine.finalize();
    });
    this.#engine.tellWarnings(this.findings.warnings());
  }

  /** For a trace in Perfetto's own format. */
  #packets(): Sink {
    return new ProtoPackets(this.#output, {
      known: this.#parts.packetFields,
      mode: this.#options.mode,
      findings: this.findings,
      zstd: () => {
        this.#zstd ??= new ZstdDecoder(this.#parts.zstd);
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

  /** How the trace can be read after the engine has failed with `thrown`. */
  #again(thrown: unknown): ReadAgain | undefined {
    const { mode } = this.#options;
    const isRefused =
      thrown instanceof BigtraceError && /re-introduced with different type/.test(thrown.detail);
    return isRefused && !mode.withoutDescriptors
      ? new ReadAgain({ ...mode, withoutDescriptors: true })
      : undefined;
  }
}
