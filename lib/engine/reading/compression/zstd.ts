/**
 * Decompresses zstd frames as their bytes arrive, with libzstd compiled to WebAssembly (package `zstddec`). It is five
 * times as fast as the decoders in JavaScript, and the same on every version of Node.
 */

import { cutShort } from '../../../common/archive/damage.ts';
import { BigtraceError } from '../../../common/errors.ts';
import type { Codec } from './codec.ts';

/** The part of libzstd's API that is used. */
type Libzstd = {
  memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): number;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
  ZSTD_DStreamInSize(): number;
  ZSTD_DStreamOutSize(): number;
};

let module: Promise<WebAssembly.Module> | undefined;

/** Returns the module, compiled once per process. Threads receive it with their engine and need not wait for it. */
export function zstdModule(): Promise<WebAssembly.Module> {
  module ??= compile();
  return module;
}

/**
 * Compiles the module of `zstddec`. The package decompresses only whole buffers; its initialization hook gives access
 * to the module, which exports libzstd's streaming functions.
 */
async function compile(): Promise<WebAssembly.Module> {
  const { ZSTDDecoder } = await import('zstddec/stream');
  return new Promise((resolve, reject) => {
    class Capturing extends ZSTDDecoder {
      override _init(started: { module: WebAssembly.Module }): void {
        resolve(started.module);
      }
    }
    new Capturing().init().catch(reject);
  });
}

/** libzstd returns an error as its negated code, here an unsigned number; it has about a hundred codes. */
const FIRST_ERROR = 2 ** 32 - 1000;
const WINDOW_TOO_LARGE = 16;
const OUT_OF_MEMORY = 64;

/** Size of a ZSTD_inBuffer (src, size, pos) and of a ZSTD_outBuffer (dst, size, pos). */
const BUFFER_STRUCT_BYTES = 12;

export class ZstdDecoder implements Codec {
  readonly #zstd: Libzstd;
  readonly #input: number;
  readonly #inputBytes: number;
  readonly #output: number;
  readonly #outputBytes: number;
  /** Address of the two structs that describe the buffers. */
  readonly #structs: number;
  #context: number;
  /** Whether a frame has begun and not ended. */
  #open = false;

  constructor(module: WebAssembly.Module) {
    const env = { emscripten_notify_memory_growth: () => {} };
    this.#zstd = new WebAssembly.Instance(module, { env }).exports as Libzstd;
    this.#inputBytes = this.#zstd.ZSTD_DStreamInSize();
    this.#outputBytes = this.#zstd.ZSTD_DStreamOutSize();
    this.#input = this.#zstd.malloc(this.#inputBytes);
    this.#output = this.#zstd.malloc(this.#outputBytes);
    this.#structs = this.#zstd.malloc(2 * BUFFER_STRUCT_BYTES);
    this.#context = this.#zstd.ZSTD_createDCtx();
  }

  get memoryBytes(): number {
    return this.#zstd.memory.buffer.byteLength;
  }

  /** Whether the bytes so far are complete frames. */
  get atFrameEnd(): boolean {
    return !this.#open;
  }

  /** Discards an incomplete frame. */
  reset(): void {
    this.#zstd.ZSTD_freeDCtx(this.#context);
    this.#context = this.#zstd.ZSTD_createDCtx();
    this.#open = false;
  }

  /**
   * Decompresses the next bytes. The pieces of output are views, valid only during the call of `emit`.
   * @throws BigtraceError trace_invalid, limit_exceeded
   */
  push(bytes: Uint8Array, emit: (bytes: Uint8Array) => void): void {
    for (let at = 0; at < bytes.length; at += this.#inputBytes) {
      const piece = bytes.subarray(at, at + this.#inputBytes);
      new Uint8Array(this.#zstd.memory.buffer, this.#input).set(piece);
      this.#decompress(piece.length, emit);
    }
  }

  end(): void {
    if (this.#open) throw cutShort('zstd');
  }

  #decompress(length: number, emit: (bytes: Uint8Array) => void): void {
    const [input, output] = [this.#structs, this.#structs + BUFFER_STRUCT_BYTES];
    for (let read = 0, outputFull = false; read < length || outputFull; ) {
      let view = new DataView(this.#zstd.memory.buffer);
      write(view, input, this.#input, length, read);
      write(view, output, this.#output, this.#outputBytes, 0);
      this.#open = true; // stays set when the data is damaged
      const result = this.#zstd.ZSTD_decompressStream(this.#context, output, input) >>> 0;
      if (result >= FIRST_ERROR) throw damaged(2 ** 32 - result);
      view = new DataView(this.#zstd.memory.buffer); // memory may have grown
      read = view.getUint32(input + 8, true);
      const written = view.getUint32(output + 8, true);
      this.#open = result !== 0;
      // After a full buffer, more output of the same input may follow, unless the frame has ended.
      outputFull = written === this.#outputBytes && this.#open;
      if (written > 0) emit(new Uint8Array(this.#zstd.memory.buffer, this.#output, written));
    }
  }
}

function write(view: DataView, at: number, buffer: number, size: number, position: number): void {
  view.setUint32(at, buffer, true);
  view.setUint32(at + 4, size, true);
  view.setUint32(at + 8, position, true);
}

function damaged(code: number): BigtraceError {
  if (code === WINDOW_TOO_LARGE)
    return new BigtraceError(
      'limit_exceeded',
      'zstd data needs a window of more than 128 MiB, the bound; compress it without --long',
    );
  if (code === OUT_OF_MEMORY)
    return new BigtraceError('limit_exceeded', 'zstd data needs more memory than there is');
  return new BigtraceError('trace_invalid', `zstd data is damaged (libzstd's error ${code})`);
}
