/** Decompresses .xz files with XZ Embedded, compiled to WebAssembly (package `xz-decompress`). */
import { readFileSync } from 'node:fs';
import { cutShort, damagedData } from '../../../common/archive/damage.ts';
import { BigtraceError } from '../../../common/errors.ts';
import type { Codec } from './codec.ts';
import { xzFile } from './packages.ts';

type XzEmbedded = {
  memory: WebAssembly.Memory;
  create_context(): number;
  supply_input(context: number, bytes: number): void;
  get_next_output(context: number): number;
};

/** Indexes of the 32-bit words of a context: the sizes, addresses and positions of its buffers. */
const WORD = { BUFFER_BYTES: 0, INPUT: 1, READ: 2, INPUT_BYTES: 3, OUTPUT: 4, WRITTEN: 5 } as const;

const OK = 0;
const STREAM_END = 1;
/** No input was left, and the stream had not ended. */
const NO_PROGRESS = 8;
const MEMORY_ERRORS = new Set([3, 4]);

let module: WebAssembly.Module | undefined;

/**
 * Compiles the module, which the package's file contains as a data URL. The package itself offers only a
 * ReadableStream, for which synchronous code cannot wait.
 */
function xzModule(): WebAssembly.Module {
  const file = readFileSync(xzFile(), 'latin1');
  const [, base64 = ''] = /data:application\/wasm;base64,([A-Za-z0-9+/=]+)/.exec(file) ?? [];
  module ??= new WebAssembly.Module(Buffer.from(base64, 'base64'));
  return module;
}

export class XzDecoder implements Codec {
  readonly #xz: XzEmbedded;
  readonly #context: number;

  constructor() {
    this.#xz = new WebAssembly.Instance(xzModule(), {}).exports as XzEmbedded;
    this.#context = this.#xz.create_context();
  }

  get memoryBytes(): number {
    return this.#xz.memory.buffer.byteLength;
  }

  push(bytes: Uint8Array, emit: (piece: Uint8Array) => void): void {
    const pieceMax = this.#words()[WORD.BUFFER_BYTES] ?? 0;
    for (let at = 0; at < bytes.length; at += pieceMax)
      this.#decompress(bytes.subarray(at, at + pieceMax), emit);
  }

  /** An empty input tells XZ Embedded that the data has ended. */
  end(emit: (piece: Uint8Array) => void): void {
    if (this.#decompress(new Uint8Array(), emit) !== STREAM_END) throw cutShort('xz');
  }

  #decompress(piece: Uint8Array, emit: (piece: Uint8Array) => void): number {
    const { memory } = this.#xz;
    new Uint8Array(memory.buffer, this.#words()[WORD.INPUT]).set(piece);
    this.#xz.supply_input(this.#context, piece.length);
    for (;;) {
      const result = this.#xz.get_next_output(this.#context);
      if (MEMORY_ERRORS.has(result))
        throw new BigtraceError(
          'limit_exceeded',
          'the xz data needs a larger dictionary than fits',
        );
      const isCut = piece.length === 0 && result === NO_PROGRESS;
      if (result !== OK && result !== STREAM_END && !isCut)
        throw damagedData('xz', `XZ Embedded's error ${result}`);
      const words = this.#words();
      const [written = 0, read = 0] = [words[WORD.WRITTEN], words[WORD.READ]];
      if (written > 0) emit(new Uint8Array(memory.buffer, words[WORD.OUTPUT], written));
      this.#words()[WORD.WRITTEN] = 0;
      const isFull = written === words[WORD.BUFFER_BYTES];
      if (result !== OK || (read === piece.length && !isFull)) return result;
    }
  }

  /** Returns a new view of the context, because memory may have grown since the last call. */
  #words(): Uint32Array {
    return new Uint32Array(this.#xz.memory.buffer, this.#context, 6);
  }
}
