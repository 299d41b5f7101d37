/** The compiled wasm module of TraceProcessor with its initial state, shared by the threads of a process. */

import type { PacketFields } from './reading/packets/packet-fields.ts';
import type { PackageFacts } from './script/sql-packages.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/** Plain data, structured-cloneable: `postMessage` it to a thread. */
export interface Engine {
  module: WebAssembly.Module;
  /** SHA-256 of the wasm file, hex. */
  digest: string;
  /** As TraceProcessor itself says it, such as "Perfetto v55.3-…". */
  version: string;
  /** State of an instance right after its start, SQL packages and all; every one is put into it by copying. */
  initial: Snapshot;
  /** SHA-256 of module, way of reading and initial image, hex: images and answers are good for this engine only. */
  identity: string;
  /** The SQL packages it has beside the standard library. */
  packages: PackageFacts[];
  /** Address of the buffer for requests. */
  requestAt: number;
  /** What it knows of Perfetto's own format; undefined where its file does not tell. */
  packetFields: PacketFields | undefined;
  /** libzstd: it does not decompress zstd itself. */
  zstd: WebAssembly.Module;
}
