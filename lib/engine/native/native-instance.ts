/** Runs the module as machine code that was compiled ahead of time. */
import { createHash } from 'node:crypto';
import type { MemoryFile, RegionCheck } from '../snapshot/memory-file.ts';
import type { Piece } from '../snapshot/snapshot.ts';
import type {
  EngineCode,
  ImportFunction,
  ModuleInstance,
  OnReply,
  ResolveImport,
} from '../wasm/module-instance.ts';
import { PAGE_BYTES } from '../wasm/wasm-abi.ts';
import { type Addon, type Handle, loadAddon } from './addon.ts';

/** Part of the error after which an instance has lost its memory, as in host/addon.c. */
export const MEMORY_DAMAGED = 'the file that its memory is read from is damaged';

/**
 * Returns what the addon returned. While a thread is being ended, the addon can neither create values nor throw, and the code
 * of the thread goes on until V8 stops it.
 * @throws Error if it returned nothing
 */
function returned<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the thread is being ended');
  return value;
}

export class NativeInstance implements ModuleInstance {
  /** The number by which another thread can interrupt the instance. */
  readonly interruptId: number;
  readonly #addon: Addon;
  readonly #imports: readonly ImportFunction[];
  readonly #onReply: OnReply;
  readonly #handle: Handle;
  #buffer: ArrayBuffer;
  #imageBytes = 0;

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
    this.#handle = returned(this.#addon.create(this.#imports, onReply));
    this.#buffer = returned(this.#addon.buffer(this.#handle));
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

  /** Size of the image that is mapped as the memory; 0 if none is. */
  get imageBytes(): number {
    return this.#imageBytes;
  }

  /** The part of the image that the instance has changed, of which it has copies. */
  get changedBytes(): number {
    return this.#imageBytes === 0 ? 0 : this.#addon.changedBytes(this.#handle);
  }

  /** Maps the image with this key as the memory. @returns false if nothing was changed: there is none */
  mapImage(key: string): boolean {
    return this.#mapped(this.#addon.mapImage(this.#handle, this.#buffer, key));
  }

  /** Begins an image of this size. @returns false if the system allows no further image */
  beginImage(bytes: number): boolean {
    return this.#addon.beginImage(this.#handle, bytes);
  }

  /**
   * Writes these pieces to the image that was begun, the rest of which is zero, and maps it as the memory.
   * @returns false if nothing was changed: there is no memory for it
   */
  makeImage(key: string, pieces: Iterable<Piece>): boolean {
    try {
      for (const { at, bytes: piece } of pieces)
        if (!this.#addon.writeImage(this.#handle, at, piece)) return false;
      return this.#mapped(this.#addon.adoptImage(this.#handle, this.#buffer, key));
    } finally {
      this.#addon.dropImage(this.#handle); // unless it was adopted
    }
  }

  /**
   * Maps an image of the file as the memory, which is read as it is touched.
   * @returns false if nothing was changed: that is not possible here
   */
  mapFile(key: string, file: number, { memoryBytes, regions, regionBytes }: MemoryFile): boolean {
    const handle = this.#handle;
    try {
      if (!this.#addon.beginImage(handle, memoryBytes)) return false;
      if (!this.#addon.readFrom(handle, file, regions, regionBytes)) return false;
      return this.#mapped(this.#addon.adoptImage(handle, this.#buffer, key));
    } finally {
      this.#addon.dropImage(handle); // unless it was adopted
    }
  }

  /** Reads what was not touched yet of a file from `mapFile`. @returns false if the file is damaged */
  readWhole(): boolean {
    return this.#addon.readWhole(this.#handle);
  }

  /** Makes the memory zero, with this size. */
  zero(bytes: number): void {
    this.#buffer = returned(this.#addon.zeroMemory(this.#handle, this.#buffer, bytes));
    this.#imageBytes = 0;
  }

  #mapped(buffer: ArrayBuffer | undefined): boolean {
    if (buffer === undefined) return false;
    this.#buffer = buffer;
    this.#imageBytes = buffer.byteLength;
    return true;
  }

  boot(requestBytes: number): number {
    return returned(this.#addon.boot(this.#handle, this.#imports, this.#onReply, requestBytes));
  }

  request(length: number): void {
    returned(this.#addon.request(this.#handle, this.#imports, this.#onReply, length));
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

/** Returns the key of the image of a trace with this key, which may be long. */
export function imageKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Returns the function that checks regions of a memory file; undefined if no such files are read here. */
export function regionCheck(code: EngineCode): RegionCheck | undefined {
  return code.runtime === 'native' ? loadAddon(code.addon).check : undefined;
}

/** Returns the addon's `afterPlainPackets`; undefined if the runtime has none. */
export function plainPackets(code: EngineCode): Addon['afterPlainPackets'] | undefined {
  return code.runtime === 'native' ? loadAddon(code.addon).afterPlainPackets : undefined;
}

/** Whether an instance of the process has an image with this key. */
export function hasImage(code: EngineCode, key: string): boolean {
  return code.runtime === 'native' && loadAddon(code.addon).hasImage(key);
}
