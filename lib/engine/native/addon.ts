/** Loads an addon, and declares its functions (host/addon.c). */
import { isMainThread } from 'node:worker_threads';
import type { ImportFunction, OnReply } from '../wasm/module-instance.ts';

/** An instance of the module. */
export type Handle = { readonly __brand: 'handle' };

type Imports = readonly ImportFunction[];

/** A function that returns undefined where its type allows it has failed, or its thread is being ended: then it cannot throw. */
export interface Addon {
  /** What the addon states about itself: see `builtOf`. */
  readonly built: string;
  /** The imports of the module, each as `module name`; the functions are passed in this order. */
  readonly imports: readonly string[];
  create(imports: Imports, onReply: OnReply): Handle | undefined;
  /** @returns the address of the request buffer */
  boot(
    handle: Handle,
    imports: Imports,
    onReply: OnReply,
    requestBytes: number,
  ): number | undefined;
  /** @returns a number once the module has returned */
  request(handle: Handle, imports: Imports, onReply: OnReply, length: number): number | undefined;
  restoreStack(handle: Handle): void;
  buffer(handle: Handle): ArrayBuffer | undefined;
  /** Grows the memory and detaches `buffer`. @returns the new buffer; undefined when there is no memory left */
  grow(handle: Handle, buffer: ArrayBuffer, pages: number): ArrayBuffer | undefined;
  /** Begins an image (host/image.h), all zero. It ends with the instance. @returns false if the system allows none */
  beginImage(handle: Handle, bytes: number): boolean;
  /** @returns false when there is no memory left */
  writeImage(handle: Handle, at: number, bytes: Uint8Array): boolean;
  /**
   * Lets the image that was begun be read from the file, region by region, as instances touch it (host/source.h).
   * @returns false if that is not possible here
   */
  readFrom(handle: Handle, file: number, regions: Uint8Array, regionBytes: number): boolean;
  /** Reads what the instance has not touched yet. @returns false if the file is damaged */
  readWhole(handle: Handle): boolean;
  /** Writes the check of a region (host/source.h) to `into`, which has 16 bytes; undefined on a processor without SSE 4.2. */
  check?: (bytes: Uint8Array, into: Uint8Array) => void;
  dropImage(handle: Handle): void;
  /**
   * Seals the image that was begun and maps it as the memory, or the image that has this key already; detaches `buffer`.
   * @returns the new buffer, empty when there is no memory left; undefined if nothing was changed
   */
  adoptImage(handle: Handle, buffer: ArrayBuffer, key: string): ArrayBuffer | undefined;
  /** Maps the image with the key; as adoptImage. */
  mapImage(handle: Handle, buffer: ArrayBuffer, key: string): ArrayBuffer | undefined;
  /** Makes the memory zero and so large; the instance has no image then. @returns the new buffer, as adoptImage */
  zeroMemory(handle: Handle, buffer: ArrayBuffer, bytes: number): ArrayBuffer | undefined;
  hasImage(key: string): boolean;
  /** @returns the bytes of the image's pages that the instance has changed */
  changedBytes(handle: Handle): number;
  /**
   * Returns the offset after the packets that begin at `at` and are passed on as they are (host/packets.c).
   * @param known fields of packets; all, if it is empty
   */
  afterPlainPackets(bytes: Uint8Array, at: number, known: Uint8Array): number;
  /** @returns the number by which any thread can interrupt the instance */
  id(handle: Handle): number;
  /** Makes a call that runs, and every later one, end with an error, until `allow`. */
  interrupt(id: number): void;
  allow(id: number): void;
  /** Interrupts every instance of the process. */
  interruptAll(): void;
}

const loaded = new Map<string, Addon>();

/** @throws Error if the file is no addon that this process can load */
export function loadAddon(path: string): Addon {
  const known = loaded.get(path);
  if (known !== undefined) return known;
  const loading = { exports: {} };
  process.dlopen(loading, path);
  const addon = loading.exports as Addon;
  loaded.set(path, addon);
  // Node waits for its threads when it exits.
  if (isMainThread) process.once('exit', () => addon.interruptAll());
  return addon;
}
