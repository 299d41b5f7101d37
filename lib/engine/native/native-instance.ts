/** Runs the module as machine code that was compiled ahead of time. */
import type {
  EngineCode,
  ImportFunction,
  ModuleInstance,
  OnReply,
  ResolveImport,
} from '../wasm/module-instance.ts';
import { PAGE_BYTES } from '../wasm/wasm-abi.ts';
import { type Addon, type Handle, loadAddon } from './addon.ts';

export class NativeInstance implements ModuleInstance {
  /** The number by which another thread can interrupt the instance. */
  readonly interruptId: number;
  readonly #addon: Addon;
  readonly #imports: readonly ImportFunction[];
  readonly #onReply: OnReply;
  readonly #handle: Handle;
  #buffer: ArrayBuffer;

  constructor(
    { addon }: Extract<EngineCode, { runtime: 'native' }>,
    resolve: ResolveImport,
    onReply: OnReply,
  ) {
    this.#addon = loadAddon(addon);
    this.#imports = this.#addon.imports.map((each) => {
      const [module = '', name = ''] = each.split(' ');
      return resolve({ module, name });
    });
    this.#onReply = onReply;
    this.#handle = this.#addon.create(this.#imports, onReply);
    this.#buffer = this.#addon.buffer(this.#handle);
    this.interruptId = this.#addon.id(this.#handle);
  }

  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  grow(bytes: number): boolean {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const grown = this.#addon.grow(this.#handle, this.#buffer, pages);
    if (grown !== undefined) this.#buffer = grown;
    return grown !== undefined;
  }

  boot(requestBytes: number): number {
    return this.#addon.boot(this.#handle, this.#imports, this.#onReply, requestBytes);
  }

  request(length: number): void {
    this.#addon.request(this.#handle, this.#imports, this.#onReply, length);
  }

  restoreStack(): void {
    this.#addon.restoreStack(this.#handle);
  }
}

/** Interrupts the call that an instance of `code` runs, from any thread; a later call fails, too, until `allow`. */
export function interruptInstance(code: EngineCode, id: number): void {
  if (code.runtime === 'native') loadAddon(code.addon).interrupt(id);
}

export function allowInstance(code: EngineCode, id: number): void {
  if (code.runtime === 'native') loadAddon(code.addon).allow(id);
}
