/**
 * Defines the messages between the main thread and an engine thread. A message to the thread has one request or more; they are
 * executed strictly in order.
 * A load (`open` … `finalize`, or `restore`), a query and each other request has exactly one closing reply.
 */

import type {
  Engine,
  ReadingMode,
  ReadingOptions,
  Snapshot,
  SqlPackage,
  VocabularyModule,
} from '../../lib/engine/index.ts';
import type { ResultColumn } from '../tasks/columns.ts';

export interface ThreadData {
  engine: Engine;
  /** Int32 values; GATE has their indices. */
  gate: SharedArrayBuffer;
}

/** Indices into the gate, the memory through which the main thread controls the thread during a long call. */
export const GATE = {
  /**
   * Bytes of results that were sent and not yet passed on; the thread waits while there are more than
   * UNACKNOWLEDGED_BYTES_MAX.
   */
  UNACKNOWLEDGED: 0,
  /** 1: the running call's outcome is not needed any more. */
  DISCARD: 1,
  /** The kernel's ID of the thread; 0 until the thread has started, or if it is unknown. */
  THREAD: 2,
  /** The number by which the main thread can interrupt the engine; 0 if it cannot. */
  INTERRUPT_ID: 3,
  /** 1: another task waits for the trace of this engine; it should share its memory. */
  WANTED: 4,
} as const;

/** Size of the gate, in bytes. */
export const GATE_BYTES = 20;
export const UNACKNOWLEDGED_BYTES_MAX = 4 * 2 ** 20;

/** Maximum number of bytes that were read and not yet parsed. */
export const UNPARSED_BYTES_MAX = 8 * 2 ** 20;

/** A file from which a trace can be restored. */
export interface SnapshotFile {
  path: string;
  uncompressed: boolean;
}

export interface QueryRequest {
  sql: Uint8Array;
  /** Key under which engines of the process share the memory of the trace. */
  image: string;
  /** Whether `sql` is the specification of a summary. */
  isSummary: boolean;
  /** Whether the state before the script must be kept for `rollback`. */
  mutatesState: boolean;
  /** Whether to collect the types of all cells of each column. */
  wantsKinds: boolean;
  memoryBytesMax: number;
}

export type ThreadRequest =
  /** Resets the engine, for another trace. `wide`: the engine to use instead of the thread's own. */
  | { type: 'open'; memoryBytesMax: number; reading: ReadingOptions; wide?: Engine }
  | { type: 'append'; bytes: Uint8Array }
  | { type: 'finalize' }
  /** Ends a load that is not needed any more. */
  | { type: 'drop' }
  /**
   * Loads a trace from the memory that another engine shares, or else from a snapshot file, if there is one; `wide` as in
   * `open`.
   */
  | {
      type: 'restore';
      image: string;
      file: SnapshotFile | undefined;
      memoryBytesMax: number;
      wide?: Engine;
    }
  | ({ type: 'query' } & QueryRequest)
  /** Restores the state before the first query that mutated it. */
  | { type: 'rollback' }
  | { type: 'snapshot' }
  /**
   * Infers the cell types that a script's columns may have; for a thread without a trace, which is ended afterwards.
   */
  | { type: 'possibleKinds'; sql: Uint8Array; memoryBytesMax: number }
  /** Lists the names that scripts can use; for a thread as above. */
  | { type: 'vocabulary' }
  /** Loads another engine from its wasm file; for a thread as above. */
  | { type: 'loadEngine'; file: string; packages: readonly SqlPackage[] };

/** Memory in bytes of the engine, of decompressing the trace, and of the state kept for `rollback`. */
export interface Size {
  memoryBytes: number;
  /** The part of it that all engines with the image of the trace share. */
  sharedBytes?: number;
}

/** What the thread found in the bytes of a trace. */
export interface ReadFacts {
  zstdPackets: number;
  unpackedBytes: number;
  /** Number of distinct warnings. */
  warnings: number;
}

export type ThreadReply =
  | ({ type: 'appended'; byteLength: number } & Size)
  | ({ type: 'loaded'; loadMs: number; read?: ReadFacts } & Size)
  /** Ends a load: the trace must be loaded again, in this mode. */
  | ({ type: 'again'; mode: ReadingMode } & Size)
  /**
   * Ends a `restore`: the trace must be loaded in another way. `readable`: the file could be read, but is damaged.
   * `otherEngine`: it is of another engine.
   */
  | ({ type: 'unusable'; reason: string; readable: boolean; otherEngine: boolean } & Size)
  | { type: 'result'; bytes: Uint8Array; rows: number; last: boolean }
  /** `columns` is present if cell types were requested. */
  | ({ type: 'answered'; rows: number; columns?: ResultColumn[]; queryMs: number } & Size)
  | ({ type: 'rolledBack' } & Size)
  | ({ type: 'snapshot'; snapshot: Snapshot } & Size)
  | ({ type: 'possibleKinds'; kinds: number[] | undefined } & Size)
  | ({ type: 'vocabulary'; modules: VocabularyModule[] } & Size)
  | ({ type: 'engineLoaded'; engine: Engine } & Size)
  /** Ends any request. `poisoned`: the engine's trace cannot be used any more. */
  | ({ type: 'failed'; code: string; detail: string; poisoned: boolean } & Size);
