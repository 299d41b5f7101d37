/** What runs the wasm module. Everything above (wasm-host.ts) is the same for all runtimes. */

/** The module as a runtime executes it; plain data, which `postMessage` can send to a thread. */
export type EngineCode =
  | { runtime: 'v8'; module: WebAssembly.Module }
  /** `addon`: the path of the machine code that was made of the module (../native). */
  | { runtime: 'native'; addon: string };

/** An import of the module. */
export interface ImportName {
  module: string;
  name: string;
}

export type ImportFunction = (...args: never[]) => unknown;

/** Returns the function for an import. */
export type ResolveImport = (name: ImportName) => ImportFunction;

/** Receives a piece of the reply stream: its address and length. */
export type OnReply = (at: number, length: number) => void;

/**
 * An instance of the module, before or after `boot`. Its calls run on the thread that made it. A call throws what an
 * import or `onReply` threw, or an Error whose message names the trap.
 */
export interface ModuleInstance {
  /** The whole memory. When it grows, the earlier buffer is detached. */
  readonly buffer: ArrayBuffer;
  /** Grows the memory by `bytes`, rounded up to whole pages. @returns false when the machine has no memory left */
  grow(bytes: number): boolean;
  /** Starts the engine. @returns the address of its request buffer */
  boot(requestBytes: number): number;
  /** Executes the next `length` bytes of the request buffer. */
  request(length: number): void;
  /** Sets the stack pointer to where it was before `boot`. */
  restoreStack(): void;
}

/** The module's code used more stack than there is. The message is that of V8. */
export class StackExhausted extends Error {
  constructor() {
    super('Maximum call stack size exceeded');
  }
}
