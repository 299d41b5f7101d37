/**
 * What of a wasm file depends on the width of its addresses: 32 bits (wasm32, up to 4 GiB of memory) or 64 (memory64).
 * The WebAssembly API tells neither the width nor the types of imports, so they are read from the file.
 */
import { WireReader } from '../../query-result/index.ts';

/** Plain data, which `postMessage` can send to a thread. */
export interface WasmWidth {
  is64: boolean;
  /** Imports that return 64-bit integers, each as `module.name`. */
  wideResults: ReadonlySet<string>;
}

export interface WasmAbi extends WasmWidth {
  /** The most memory that an instance can have. */
  memoryBytesMax: number;
  /** Bytes of an address and of a size. */
  sizeBytes: 4 | 8;
  /** Converts an address that the module passed to an unsigned number. */
  address(value: number | bigint): number;
  /** Converts a number to what the module takes for an address. */
  pointer(value: number): number | bigint;
  sizeAt(view: DataView, at: number): number;
  putSize(view: DataView, at: number, value: number): void;
}

/** Unit in which memory grows. */
export const PAGE_BYTES = 2 ** 16;
/** What wasm32 can address. */
export const WASM32_BYTES_MAX = 2 ** 32;
/** V8's bound for memory64. */
export const WASM64_BYTES_MAX = 2 ** 34;

export function abiOf(width: WasmWidth): WasmAbi {
  return width.is64
    ? {
        ...width,
        memoryBytesMax: WASM64_BYTES_MAX,
        sizeBytes: 8,
        address: Number,
        pointer: BigInt,
        sizeAt: (view, at) => Number(view.getBigUint64(at, true)),
        putSize: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
      }
    : {
        ...width,
        memoryBytesMax: WASM32_BYTES_MAX,
        sizeBytes: 4,
        address: (value) => Number(value) >>> 0,
        pointer: (value) => value,
        sizeAt: (view, at) => view.getUint32(at, true),
        putSize: (view, at, value) => view.setUint32(at, value, true),
      };
}

const SECTION = { TYPES: 1, IMPORTS: 2, MEMORY: 5 } as const;
const FUNCTION = 0;
const I64 = 0x7e;
const IS_64 = 4;
const HEADER_BYTES = 8;

/** Reads the width of a wasm file. A file that is no wasm has the width 32; compiling it gives the error. */
export function wasmWidth(file: Uint8Array): WasmWidth {
  let types: boolean[] = [];
  let is64 = false;
  let wideResults = new Set<string>();
  const isWasm = Buffer.from(file.subarray(0, 4)).toString('latin1') === '\0asm';
  for (let at = isWasm ? HEADER_BYTES : file.length; at < file.length; ) {
    const reader = new WireReader(file, at + 1);
    const id = file[at];
    const length = reader.varint();
    if (id === SECTION.TYPES) types = wideTypes(reader);
    if (id === SECTION.IMPORTS) wideResults = wideImports(reader, types);
    if (id === SECTION.MEMORY) is64 = reader.varint() > 0 && (reader.varint() & IS_64) !== 0;
    at = sectionEnd(file, at + 1, length);
  }
  return { is64, wideResults };
}

function sectionEnd(file: Uint8Array, at: number, length: number): number {
  const reader = new WireReader(file, at);
  reader.varint();
  return reader.at + length;
}

/** Returns for each type of function whether it returns a 64-bit integer. */
function wideTypes(reader: WireReader): boolean[] {
  const types: boolean[] = [];
  const count = reader.varint();
  for (let type = 0; type < count; type++) {
    reader.varint(); // 0x60, a function
    for (let parameters = reader.varint(); parameters > 0; parameters--) reader.varint();
    let isWide = false;
    for (let results = reader.varint(); results > 0; results--) isWide = reader.varint() === I64;
    types.push(isWide);
  }
  return types;
}

/** Returns the imported functions with a wide result; reading stops at an import that is no function. */
function wideImports(reader: WireReader, types: readonly boolean[]): Set<string> {
  const wide = new Set<string>();
  let count = reader.varint();
  for (; count > 0; count--) {
    const name = `${Buffer.from(reader.bytes()).toString()}.${Buffer.from(reader.bytes()).toString()}`;
    if (reader.varint() !== FUNCTION) break; // wasmImports refuses the module
    if (types[reader.varint()] === true) wide.add(name);
  }
  return wide;
}

/** Whether this Node runs modules with 64-bit memory: 24 and later do. */
export function hasMemory64(): boolean {
  // biome-ignore format: a header, and a memory section with one memory of no pages
  const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, IS_64, 0);
  return WebAssembly.validate(bytes);
}
