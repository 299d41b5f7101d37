/** The compiled TraceProcessor and the initial memory of its instances, shared by the threads of a process. */

import type { PacketFields } from './reading/packets/packet-fields.ts';
import type { PackageFacts } from './script/sql-packages.ts';
import type { Snapshot } from './snapshot/snapshot.ts';
import type { EngineCode } from './wasm/module-instance.ts';
import type { WasmWidth } from './wasm/wasm-abi.ts';

/** Plain data, which `postMessage` can send to a thread. */
export interface Engine {
  code: EngineCode;
  /** Whether the module addresses its memory by 32 or by 64 bits. */
  width: WasmWidth;
  /** SHA-256 of the wasm file, hex. */
  digest: string;
  /** The version that TraceProcessor reports, such as "Perfetto v55.3-…". */
  version: string;
  /** Memory of an instance after start, with the SQL packages registered. Every instance begins as a copy of it. */
  initial: Snapshot;
  /**
   * Memory of an instance that has the first byte of a trace in Perfetto's own format, over the initial memory; undefined if
   * TraceProcessor does not accept that byte alone.
   */
  primed: Snapshot | undefined;
  /**
   * SHA-256 of the module's digest, READING_VERSION and the initial memory, hex. Snapshots and cached results are
   * valid only for the engine with the same identity.
   */
  identity: string;
  /** The registered SQL packages, without the standard library. */
  packages: PackageFacts[];
  /** Address of the request buffer in wasm memory. */
  requestAt: number;
  /** The TracePacket fields that TraceProcessor knows; undefined when its wasm file has no descriptor of them. */
  packetFields: PacketFields | undefined;
  /** libzstd, because TraceProcessor does not decompress zstd. */
  zstd: WebAssembly.Module;
}

/** What is known of an engine before one of its instances was started. */
export type UnpreparedEngine = Pick<Engine, 'code' | 'width' | 'digest' | 'packetFields' | 'zstd'>;

export const NOTHING_PREPARED: Omit<Engine, keyof UnpreparedEngine> = {
  ...{ version: '', identity: '', requestAt: 0, packages: [], primed: undefined },
  initial: { engine: '', memoryBytes: 0, runs: new Uint32Array(), contents: new Uint8Array() },
};
