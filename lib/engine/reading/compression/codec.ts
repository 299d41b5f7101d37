/** Decompresses a file as its bytes arrive. */
import type { Sink } from '../stage.ts';

export interface Codec {
  /** Memory that it takes beside JavaScript's: that of its WebAssembly. */
  readonly memoryBytes?: number;
  /**
   * Decompresses the next bytes. The pieces of output are valid only during the call of `emit`.
   * @throws BigtraceError trace_invalid, limit_exceeded
   */
  push(bytes: Uint8Array, emit: (piece: Uint8Array) => void): void;
  /** Ends the input. @throws BigtraceError trace_invalid: the data is cut short */
  end(emit: (piece: Uint8Array) => void): void;
}

/** The codecs in use, for the memory that they take together. */
export class CodecsInUse {
  readonly #codecs = new Set<Codec>();

  get memoryBytes(): number {
    let bytes = 0;
    for (const { memoryBytes = 0 } of this.#codecs) bytes += memoryBytes;
    return bytes;
  }

  begin<C extends Codec>(codec: C): C {
    this.#codecs.add(codec);
    return codec;
  }

  end(codec: Codec): void {
    this.#codecs.delete(codec);
  }
}

/**
 * Passes decompressed bytes to the next stage, and their number to `unpacked`, which throws limit_exceeded when there
 * are too many.
 */
export class Decompressing implements Sink {
  readonly #codec: Codec;
  readonly #next: Sink;
  readonly #emit: (piece: Uint8Array) => void;
  readonly #inUse: CodecsInUse;

  constructor(codec: Codec, next: Sink, unpacked: (bytes: number) => void, inUse: CodecsInUse) {
    this.#codec = inUse.begin(codec);
    this.#inUse = inUse;
    this.#next = next;
    this.#emit = (piece) => {
      unpacked(piece.length);
      next.push(piece);
    };
  }

  push(bytes: Uint8Array): void {
    this.#codec.push(bytes, this.#emit);
  }

  end(): void {
    this.#codec.end(this.#emit);
    this.#inUse.end(this.#codec);
    this.#next.end();
  }
}
