/** Runs the module in V8. */
import {
  type EngineCode,
  type ImportFunction,
  type ModuleInstance,
  type OnReply,
  type ResolveImport,
  StackExhausted,
} from './module-instance.ts';
import { PAGE_BYTES, type WasmAbi } from './wasm-abi.ts';

/** A number from a module with 32-bit memory, a bigint from one with 64-bit memory. */
type Address = number | bigint;

type Exports = {
  memory: WebAssembly.Memory;
  __indirect_function_table: WebAssembly.Table;
  emscripten_stack_init(): void;
  emscripten_stack_get_current(): Address;
  emscripten_stack_get_end?(): Address;
  _emscripten_stack_restore(stackPointer: Address): void;
  __wasm_call_ctors(): void;
  trace_processor_rpc_init(callback: Address, requestBytes: number): Address;
  trace_processor_on_rpc_request(length: number): void;
};

/**
 * The module keeps variables in a stack within its memory. Below that stack is other data, and nothing stops the module
 * from growing into it: V8 has a stack of its own, which may be the larger one. If this lowest part of the stack was used,
 * it may have happened.
 */
const LOWEST_PART = 1 / 32;

export class V8Instance implements ModuleInstance {
  readonly #abi: WasmAbi;
  readonly #exports: Exports;
  readonly #callback: Address;
  readonly #stackTop: Address;
  /** Undefined if the module does not tell. */
  readonly #stackEnd: number | undefined;
  /** As many zeros as the lowest part of the stack has bytes. */
  readonly #unused: Buffer;

  constructor(
    { module }: Extract<EngineCode, { runtime: 'v8' }>,
    abi: WasmAbi,
    resolve: ResolveImport,
    onReply: OnReply,
  ) {
    this.#abi = abi;
    const instance = new WebAssembly.Instance(module, importsOf(module, abi, resolve));
    this.#exports = checkedExports(instance.exports);
    this.#callback = addCallback(this.#exports.__indirect_function_table, abi, onReply);
    this.#exports.emscripten_stack_init();
    this.#stackTop = this.#exports.emscripten_stack_get_current();
    const end = this.#exports.emscripten_stack_get_end?.();
    this.#stackEnd = end === undefined ? undefined : abi.address(end);
    const stackBytes = abi.address(this.#stackTop) - (this.#stackEnd ?? 0);
    this.#unused = Buffer.alloc(stackBytes * LOWEST_PART);
  }

  get buffer(): ArrayBuffer {
    return this.#exports.memory.buffer;
  }

  grow(bytes: number): boolean {
    try {
      this.#exports.memory.grow(this.#abi.pointer(Math.ceil(bytes / PAGE_BYTES)));
      return true;
    } catch {
      return false;
    }
  }

  boot(requestBytes: number): number {
    this.#exports.__wasm_call_ctors();
    return this.#abi.address(this.#exports.trace_processor_rpc_init(this.#callback, requestBytes));
  }

  request(length: number): void {
    try {
      this.#exports.trace_processor_on_rpc_request(length);
    } catch (thrown) {
      this.#checkStack();
      throw thrown;
    }
    this.#checkStack();
  }

  /** @throws StackExhausted if the module may have written below its stack */
  #checkStack(): void {
    if (this.#stackEnd === undefined) return;
    const lowest = new Uint8Array(this.buffer, this.#stackEnd, this.#unused.length);
    if (this.#unused.compare(lowest) !== 0) throw new StackExhausted();
  }

  restoreStack(): void {
    this.#exports._emscripten_stack_restore(this.#stackTop);
  }
}

function importsOf(
  module: WebAssembly.Module,
  abi: WasmAbi,
  resolve: ResolveImport,
): WebAssembly.Imports {
  const imports: WebAssembly.Imports = {};
  for (const { module: space, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'function') throw new Error(`the wasm imports a ${kind}, ${space}.${name}`);
    const functions = imports[space] ?? {};
    imports[space] = functions;
    const work = resolve({ module: space, name });
    functions[name] = abi.is64 ? narrowed(work, abi.wideResults.has(`${space}.${name}`)) : work;
  }
  return imports;
}

/** Converts the 64-bit integers that a module with 64-bit memory passes to numbers, and the result if it must be wide. */
function narrowed(work: ImportFunction, wideResult: boolean): ImportFunction {
  const numeric = work as (...args: unknown[]) => unknown;
  return (...args: unknown[]) => {
    const result = numeric(...args.map((each) => (typeof each === 'bigint' ? Number(each) : each)));
    return wideResult ? BigInt(result as number | bigint) : result;
  };
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
  callback: OnReply,
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
