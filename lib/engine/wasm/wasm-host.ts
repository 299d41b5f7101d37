/**
 * Runs one instance of the wasm module: its imports (wasm-imports.ts), memory bound, request buffer, callback for
 * replies, and the error after a crash.
 */
import { BigtraceError } from '../../common/errors.ts';
import { MEMORY_DAMAGED, NativeInstance } from '../native/native-instance.ts';
import type { MemoryFile } from '../snapshot/memory-file.ts';
import { type Piece, restoreBlocks, restoreMemory, type Snapshot } from '../snapshot/snapshot.ts';
import type { SnapshotReader } from '../snapshot/snapshot-file.ts';
import { type EngineCode, type ModuleInstance, StackExhausted } from './module-instance.ts';
import { V8Instance } from './v8-instance.ts';
import { abiOf, type WasmAbi, type WasmWidth } from './wasm-abi.ts';
import { StderrLog, wasmImports } from './wasm-imports.ts';

/** Size of the request buffer; longer requests are sent in pieces. */
const REQUEST_BYTES = 2 ** 18;
/** Memory grows by a fifth, as in emscripten's glue code, but by no more than this unless more is needed. */
const GROWTH_BYTES_MAX = 96 * 2 ** 20;

export class WasmHost {
  readonly requestBytesMax = REQUEST_BYTES;
  poisoned: unknown;
  readonly #abi: WasmAbi;
  #memoryBytesMax = 0;
  readonly #instance: ModuleInstance;
  readonly #stderr = new StderrLog();
  #requestAt = 0;
  /** The memory size that was needed, within the bound, when the machine had no memory left. */
  #refusedBytes: number | undefined;

  /** `onReply` receives pieces of the reply stream, which are views into memory, valid only during the call. */
  constructor(
    { code, width }: { code: EngineCode; width: WasmWidth },
    memoryBytesMax: number,
    onReply: (piece: Uint8Array) => void,
  ) {
    this.#abi = abiOf(width);
    this.memoryBytesMax = memoryBytesMax;
    const resolve = wasmImports({
      buffer: () => this.#instance.buffer,
      growTo: (bytes) => this.#fromCallback(() => this.#growTo(bytes)),
      stderr: this.#stderr,
      abi: this.#abi,
    });
    const reply = (at: number, length: number): void =>
      this.#fromCallback(() => onReply(new Uint8Array(this.#instance.buffer, at, length)));
    this.#instance =
      code.runtime === 'native'
        ? new NativeInstance(code, resolve, reply)
        : new V8Instance(code, this.#abi, resolve, reply);
  }

  /** The number by which another thread can interrupt the engine; 0 if none can. */
  get interruptId(): number {
    return this.#native?.interruptId ?? 0;
  }

  get memoryBytesMax(): number {
    return this.#memoryBytesMax;
  }

  /** The bound is at most what the module can address. */
  set memoryBytesMax(bytes: number) {
    this.#memoryBytesMax = Math.min(bytes, this.#abi.memoryBytesMax);
  }

  /** Starts the engine. */
  boot(): void {
    this.#requestAt = this.#run(() => this.#instance.boot(REQUEST_BYTES));
  }

  /** Address of the request buffer. */
  get requestAt(): number {
    return this.#requestAt;
  }

  /** A view of the whole memory, valid until the engine continues. */
  get memory(): Uint8Array {
    return new Uint8Array(this.#instance.buffer);
  }

  /**
   * Puts the instance into the state of these snapshots, lowest first, even if it is poisoned.
   * @throws BigtraceError limit_exceeded (memory bound), out_of_memory
   */
  restore(snapshots: readonly Snapshot[], requestAt: number): void {
    const zeroFrom = this.#makeRoom(Math.max(...snapshots.map(({ memoryBytes }) => memoryBytes)));
    restoreMemory(this.memory, snapshots, zeroFrom);
    this.#restored(requestAt);
  }

  /**
   * Puts the instance into the state of a snapshot over `below`, while the snapshot is read.
   * If reading fails, the instance is poisoned.
   * @throws BigtraceError limit_exceeded (memory bound), out_of_memory; what reading throws
   */
  restoreFrom(
    below: Snapshot,
    { memoryBytes, runs, blocks }: SnapshotReader,
    requestAt: number,
  ): void {
    const zeroFrom = this.#makeRoom(memoryBytes);
    try {
      restoreBlocks(this.memory, below, runs, blocks, zeroFrom);
    } catch (thrown) {
      this.poisoned = thrown;
      throw thrown;
    }
    this.#restored(requestAt);
  }

  /** Size of the image that is mapped as the memory; 0 if none is. */
  get imageBytes(): number {
    return this.#native?.imageBytes ?? 0;
  }

  /** The part of the image that the instance has changed. */
  get changedBytes(): number {
    return this.#native?.changedBytes ?? 0;
  }

  /**
   * Puts the instance into the state of the image with this key, even if it is poisoned.
   * @returns false if the process has no such image
   * @throws BigtraceError limit_exceeded (memory bound), out_of_memory
   */
  mapImage(key: string, requestAt: number): boolean {
    return this.#native?.mapImage(key) === true && this.#mapped(requestAt, this.memoryBytesMax);
  }

  /**
   * Puts the instance into the state of a new image, or of the one that has this key already, which may be larger than the bound,
   * as the memory of an engine whose bound was lowered. If it fails, the instance is as it was.
   * @param image size of the memory, and pieces of it; the rest is zero
   * @returns false if nothing was changed: the runtime has no images, or the system allows no further one
   * @throws as mapImage; what `pieces` throws
   */
  makeImage(
    key: string,
    { memoryBytes, pieces }: { memoryBytes: number; pieces: Iterable<Piece> },
    requestAt: number,
  ): boolean {
    if (this.#native === undefined) return false;
    if (memoryBytes > this.memoryBytesMax) throw outOfMemory(this.memoryBytesMax);
    if (!this.#native.beginImage(memoryBytes)) return false;
    if (!this.#native.makeImage(key, pieces)) throw noMemory(memoryBytes);
    return this.#mapped(requestAt);
  }

  /**
   * Puts the instance into the state of a memory file, which is read as the memory is touched; or of the image that has this key
   * already. A part that proves to be damaged when it is read poisons the instance.
   * @returns false if nothing was changed: the runtime cannot do it, or not now
   * @throws as mapImage
   */
  mapFile(key: string, file: number, memory: MemoryFile, requestAt: number): boolean {
    if (memory.memoryBytes > this.memoryBytesMax) throw outOfMemory(this.memoryBytesMax);
    return this.#native?.mapFile(key, file, memory) === true && this.#mapped(requestAt);
  }

  /** Reads what was not touched of a memory file. @throws `poisoned`, which it sets if the file is damaged */
  readWhole(): void {
    if (this.#native?.readWhole() === false) this.poisoned = this.#crash(new Error(MEMORY_DAMAGED));
    if (this.poisoned !== undefined) throw this.poisoned;
  }

  #mapped(requestAt: number, bytesMax = Number.POSITIVE_INFINITY): true {
    const { imageBytes } = this;
    if (imageBytes > bytesMax || imageBytes === 0) {
      this.#native?.zero(0);
      this.poisoned = imageBytes === 0 ? noMemory(imageBytes) : outOfMemory(bytesMax);
      throw this.poisoned;
    }
    this.#restored(requestAt);
    return true;
  }

  get #native(): NativeInstance | undefined {
    return this.#instance instanceof NativeInstance ? this.#instance : undefined;
  }

  /** Grows the memory to at least `bytes`. @returns the offset from which it is new, and zero */
  #makeRoom(bytes: number): number {
    if (this.imageBytes > 0) this.#native?.zero(0);
    const before = this.memoryBytes;
    if (bytes > before && !this.#growTo(bytes)) throw noMemory(bytes);
    return before;
  }

  #restored(requestAt: number): void {
    this.#instance.restoreStack();
    this.#requestAt = requestAt;
    this.poisoned = undefined;
  }

  /** Zeroes the request buffer, because the bytes of earlier requests are not part of the state. */
  clearRequest(): void {
    this.memory.fill(0, this.#requestAt, this.#requestAt + REQUEST_BYTES);
  }

  get memoryBytes(): number {
    return this.#instance.buffer.byteLength;
  }

  /** Sends `head` and then `body` to the engine, whose replies arrive before this returns. */
  request(head: Uint8Array, body: Uint8Array = new Uint8Array(0)): void {
    const first = body.subarray(0, REQUEST_BYTES - head.length);
    this.#send(head, first);
    for (let at = first.length; at < body.length; at += REQUEST_BYTES)
      this.#send(body.subarray(at, at + REQUEST_BYTES));
  }

  #send(...parts: Uint8Array[]): void {
    if (this.poisoned !== undefined) throw this.poisoned;
    let length = 0;
    for (const part of parts) {
      new Uint8Array(this.#instance.buffer).set(part, this.#requestAt + length);
      length += part.length;
    }
    this.#run(() => this.#instance.request(length));
  }

  /** The error that one of our callbacks threw through the engine's stack frames. */
  #ownError: { thrown: unknown } | undefined;

  #fromCallback<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      this.#ownError = { thrown };
      throw thrown;
    }
  }

  #run<T>(work: () => T): T {
    this.#stderr.clear();
    this.#refusedBytes = undefined;
    try {
      return work();
    } catch (thrown) {
      // The engine's stack was not unwound, so its state can no longer be relied on.
      const own = thrown instanceof StackExhausted ? undefined : this.#ownError;
      this.poisoned = own === undefined ? this.#crash(thrown) : own.thrown;
      this.#ownError = undefined;
      throw this.poisoned;
    }
  }

  #crash(thrown: unknown): BigtraceError {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    const words = this.#stderr.reason();
    const exhausted = thrown instanceof StackExhausted; // what happened after that is a consequence
    if (this.#refusedBytes !== undefined && !exhausted) return noMemory(this.#refusedBytes, thrown);
    if (/out of memory|cannot enlarge memory/i.test(words) && !exhausted)
      return outOfMemory(this.#abi.memoryBytesMax, thrown);
    return new BigtraceError(
      'engine_crashed',
      `TraceProcessor crashed (${reason})${words === '' ? '' : `: ${words}`}`,
      { cause: thrown },
    );
  }

  /**
   * Grows the memory to at least `bytes`.
   * @returns false when the machine has no memory left
   * @throws BigtraceError limit_exceeded beyond the bound
   */
  #growTo(bytes: number): boolean {
    const old = this.memoryBytes;
    if (bytes > this.memoryBytesMax) throw outOfMemory(this.memoryBytesMax);
    const generous = old + Math.min(old / 5, GROWTH_BYTES_MAX);
    const target = Math.min(Math.max(bytes, generous), Math.max(bytes, this.memoryBytesMax));
    if (this.#instance.grow(target - old) || this.#instance.grow(bytes - old)) return true;
    this.#refusedBytes = bytes;
    return false;
  }
}

/** A retryable error: another machine, or this one later, may have the memory. */
function noMemory(bytes: number, cause?: unknown): BigtraceError {
  const text = `the machine has no memory left for TraceProcessor, which needed ${bytes} bytes`;
  return new BigtraceError('out_of_memory', text, { cause });
}

function outOfMemory(bound: number, cause?: unknown): BigtraceError {
  return new BigtraceError('limit_exceeded', memoryBoundText(bound), { cause });
}

/** Returns the error message for an engine that would exceed its memory bound. */
export function memoryBoundText(bound: number): string {
  return `TraceProcessor needs more memory than its bound of ${bound} bytes`;
}
