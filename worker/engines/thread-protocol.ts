/**
 * What is said between the main thread and a slot's thread. Requests are done strictly in order; a load
 * (`open` … `finalize`, or `restore`), a query and each of the others has exactly one closing reply.
 */

import type { Engine, Image, ReadingMode, ReadingOptions } from '../../lib/engine/index.ts';
import type { ResultColumn } from '../tasks/columns.ts';

export interface ThreadData {
  engine: Engine;
  /** Int32s: see GATE. */
  gate: SharedArrayBuffer;
}

/** Indices into the gate, which the main thread reads and writes while the thread is inside one long call. */
export const GATE = {
  /** Bytes of results sent and not yet passed on; the thread sleeps above HELD_BYTES_MAX. */
  HELD: 0,
  /** 1: nobody wants the running call's outcome. */
  DISCARD: 1,
  /** The kernel's number for the thread; 0 until it has begun, or where there is none. */
  THREAD: 2,
} as const;

export const GATE_BYTES = 12;
export const HELD_BYTES_MAX = 4 * 2 ** 20;

/** How far what was read may run ahead of what is parsed. */
export const UNPARSED_BYTES_MAX = 8 * 2 ** 20;

export interface QueryRequest {
  sql: Uint8Array;
  /** `sql` is the specification of a summary. */
  isSummary: boolean;
  /** The state before is kept for `rollback`. */
  mutatesState: boolean;
  /** Whether to look at every cell for the kinds of the columns. */
  wantsKinds: boolean;
  memoryBytesMax: number;
}

export type ThreadRequest =
  /** Makes the instance fresh, for another trace. */
  | { type: 'open'; memoryBytesMax: number; reading: ReadingOptions }
  | { type: 'append'; bytes: Uint8Array }
  | { type: 'finalize' }
  /** Closes a load that nobody wants any more. */
  | { type: 'drop' }
  /** A load from an image file. */
  | { type: 'restore'; path: string; memoryBytesMax: number }
  | ({ type: 'query' } & QueryRequest)
  /** Takes back all that queries have changed. */
  | { type: 'rollback' }
  | { type: 'snapshot' }
  /** What the cells of a script's columns may be; of a thread that holds no trace, and is ended then. */
  | { type: 'possibleKinds'; sql: Uint8Array; memoryBytesMax: number };

/** Bytes that a slot holds: the instance's memory, and the state kept for `rollback`. */
interface Size {
  memoryBytes: number;
}

/** What the thread did to the bytes of a trace. */
export interface ReadFacts {
  zstdPackets: number;
  unpackedBytes: number;
  /** Different ones. */
  warnings: number;
}

export type ThreadReply =
  | ({ type: 'appended'; byteLength: number } & Size)
  | ({ type: 'loaded'; loadMs: number; read?: ReadFacts } & Size)
  /** Closes a load: the trace has to be loaded anew, and read in this way. */
  | ({ type: 'again'; mode: ReadingMode } & Size)
  /** Closes a `restore`: the trace has to be loaded in another way. `readable`: the file could be read, and is wrong. */
  | ({ type: 'unusable'; reason: string; readable: boolean } & Size)
  | { type: 'result'; bytes: Uint8Array; rows: number; last: boolean }
  /** `columns`: where kinds were wanted. */
  | ({ type: 'answered'; rows: number; columns?: ResultColumn[]; queryMs: number } & Size)
  | ({ type: 'rolledBack' } & Size)
  | ({ type: 'snapshot'; image: Image } & Size)
  | ({ type: 'possibleKinds'; kinds: number[] | undefined } & Size)
  /** Closes any of them; `poisoned`: what the instance holds cannot be used any more. */
  | ({ type: 'failed'; code: string; detail: string; poisoned: boolean } & Size);
