/**
 * Runs one instance of the wasm module: its imports (wasm-imports.ts), memory bound, request buffer, callback for
 * replies, and the error after a crash.
 */
import { BigtraceError } from '../../common/errors.ts';
import { restoreBlocks, restoreMemory, type Snapshot } from '../snapshot/snapshot.ts';
import type { SnapshotReader } from '../snapshot/snapshot-file.ts';
import { abiOf, type WasmAbi, type WasmWidth } from './wasm-abi.ts';
import { StderrLog, wasmImports } from './wasm-imports.ts';

/** Size of the request buffer; longer requests are sent in pieces. */
const REQUEST_BYTES = 2 ** 18;
const PAGE_BYTES = 2 ** 16;
/** Memory grows by a fifth, as in emscripten's glue code, but by no more than this unless more is needed. */
const GROWTH_BYTES_MAX = 96 * 2 ** 20;

/** A number from a module with 32-bit memory, a bigint from one with 64-bit memory. */
type Address = number | bigint;

type Exports = {
  memory: WebAssembly.Memory;
  __indirect_function_table: WebAssembly.Table;
  emscripten_stack_init(): void;
  emscripten_stack_get_current(): Address;
  _emscripten_stack_restore(stackPointer: Address): void;
  __wasm_call_ctors(): void;
  trace_processor_rpc_init(callback: Address, requestBytes: number): Address;
  trace_processor_on_rpc_request(length: number): void;
};

export class WasmHost {
  readonly requestBytesMax = REQUEST_BYTES;
  poisoned: unknown;
  readonly #abi: WasmAbi;
  #memoryBytesMax = 0;
  readonly #exports: Exports;
  readonly #stderr = new StderrLog();
  readonly #callback: Address;
  readonly #stackTop: Address;
  #requestAt = 0;
  /** The memory size that was needed, within the bound, when the machine had no memory left. */
  #refusedBytes: number | undefined;

  /** `onReply` receives pieces of the reply stream, which are views into memory, valid only during the call. */
  constructor(
    { module, width }: { module: WebAssembly.Module; width: WasmWidth },
    memoryBytesMax: number,
    onReply: (piece: Uint8Array) => void,
  ) {
    this.#abi = abiOf(width);
    this.memoryBytesMax = memoryBytesMax;
    const imports = wasmImports(module, {
      memory: () => this.#exports.memory,
      growTo: (bytes) => this.#fromCallback(() => this.#growTo(bytes)),
      stderr: this.#stderr,
      abi: this.#abi,
    });
    const instance = new WebAssembly.Instance(module, imports);
    this.#exports = checkedExports(instance.exports);
    const table = this.#exports.__indirect_function_table;
    this.#callback = addCallback(table, this.#abi, (at, length) =>
      this.#fromCallback(() => onReply(new Uint8Array(this.#exports.memory.buffer, at, length))),
    );
    this.#exports.emscripten_stack_init();
    this.#stackTop = this.#exports.emscripten_stack_get_current();
  }

  get memoryBytesMax(): number {
    return this.#memoryBytesMax;
  }

  /** The bound is at most what the module can address. */
  set memoryBytesMax(bytes: number) {
    this.#memoryBytesMax = Math.min(bytes, this.#abi.memoryBytesMax);
  }

  /** Starts the engine and returns the address of its request buffer. */
  boot(): number {
    return this.#run(() => {
      this.#exports.__wasm_call_ctors();
      const { address } = this.#abi;
      return address(this.#exports.trace_processor_rpc_init(this.#callback, REQUEST_BYTES));
    });
  }

  /** A view of the whole memory, valid until the engine continues. */
  get memory(): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer);
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

  /** Grows the memory to at least `bytes`. @returns the offset from which it is new, and zero */
  #makeRoom(bytes: number): number {
    const before = this.memoryBytes;
    if (bytes > before && !this.#growTo(bytes)) throw noMemory(bytes);
    return before;
  }

  #restored(requestAt: number): void {
    this.#exports._emscripten_stack_restore(this.#stackTop);
    this.#requestAt = requestAt;
    this.poisoned = undefined;
  }

  /** Zeroes the request buffer, because the bytes of earlier requests are not part of the state. */
  clearRequest(): void {
    this.memory.fill(0, this.#requestAt, this.#requestAt + REQUEST_BYTES);
  }

  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
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
      new Uint8Array(this.#exports.memory.buffer).set(part, this.#requestAt + length);
      length += part.length;
    }
    this.#run(() => this.#exports.trace_processor_on_rpc_request(length));
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
      this.poisoned = this.#ownError === undefined ? this.#crash(thrown) : this.#ownError.thrown;
      this.#ownError = undefined;
      throw this.poisoned;
    }
  }

  #crash(thrown: unknown): BigtraceError {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    const words = this.#stderr.reason();
    if (this.#refusedBytes !== undefined) return noMemory(this.#refusedBytes, thrown);
    if (/out of memory|cannot enlarge memory/i.test(words))
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
    const { memory } = this.#exports;
    const old = memory.buffer.byteLength;
    if (bytes > this.memoryBytesMax) throw outOfMemory(this.memoryBytesMax);
    const generous = old + Math.min(old / 5, GROWTH_BYTES_MAX);
    const target = Math.min(Math.max(bytes, generous), Math.max(bytes, this.memoryBytesMax));
    const grows = (by: number): boolean => grow(memory, this.#abi, by);
    if (grows(target - old) || grows(bytes - old)) return true;
    this.#refusedBytes = bytes;
    return false;
  }
}

function grow(memory: WebAssembly.Memory, { pointer }: WasmAbi, bytes: number): boolean {
  try {
    memory.grow(pointer(Math.ceil(bytes / PAGE_BYTES)));
    return true;
  } catch {
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

function checkedExports(exports: WebAssembly.Exports): Exports {
  const names: (keyof Exports)[] = [
    'memory',
    '__indirect_function_table',
    'emscripten_stack_init',
    'emscripten_stack_get_current',
    '_emscripten_stack_restore',
    '__wasm_call_ctors',
    'trace_processor_rpc_init',
    'trace_processor_on_rpc_request',
  ];
  for (const name of names)
    if (exports[name] === undefined) throw new Error(`the wasm does not export ${name}`);
  return exports as Exports;
}

/**
 * Puts a JS function of type (address, i32) -> () into the table and returns its index. A table accepts only wasm
 * functions, so a module is created that imports the function and exports it again.
 */
function addCallback(
  table: WebAssembly.Table,
  { is64, address, pointer }: WasmAbi,
  callback: (at: number, length: number) => void,
): Address {
  // biome-ignore format: one section per line
  const bytes = Uint8Array.of(
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    1, 6, 1, 0x60, 2, is64 ? 0x7e : 0x7f, 0x7f, 0, // types: (i64 or i32, i32) -> ()
    2, 7, 1, 1, 0x65, 1, 0x66, 0, 0, // imports: e.f, a function of type 0
    7, 5, 1, 1, 0x66, 0, 0, // exports: f, function 0
  );
  const trampoline = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    e: { f: (at: Address, length: number) => callback(address(at), length >>> 0) },
  });
  const index = table.grow(pointer(1));
  table.set(index, trampoline.exports['f']);
  return index;
}
