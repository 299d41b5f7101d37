/**
 * What is said between the main thread and a slot's thread. Requests are done strictly in order; each
 * `finalize` and each `query` has exactly one closing reply.
 */
import type { Engine } from '../trace-processor/index.ts';

export interface ThreadData {
  engine: Engine;
  /** Two Int32: see GATE. */
  gate: SharedArrayBuffer;
}

/** Indices into the gate, by which the main thread holds up a thread that is inside one long call. */
export const GATE = {
  /** Bytes of results sent and not yet passed on; the thread sleeps above HELD_BYTES_MAX. */
  HELD: 0,
  /** 1: nobody wants the running call's outcome. */
  DISCARD: 1,
} as const;

export const GATE_BYTES = 8;
export const HELD_BYTES_MAX = 4 * 2 ** 20;

/** How far what was read may run ahead of what is parsed. */
export const UNPARSED_BYTES_MAX = 8 * 2 ** 20;

export interface ColumnFound {
  name: Uint8Array;
  /** Set of bits `1 << CellType`. */
  kinds: number;
}

export type ThreadRequest =
  /** Makes the instance fresh, for another trace. */
  | { ask: 'open'; memoryBytesMax: number }
  | { ask: 'append'; bytes: Uint8Array }
  | { ask: 'finalize' }
  /** Closes a load that nobody wants any more. */
  | { ask: 'drop' }
  | { ask: 'query'; sql: Uint8Array; memoryBytesMax: number };

export type ThreadReply =
  | { say: 'appended'; byteLength: number }
  | { say: 'loaded'; loadMs: number; memoryBytes: number }
  | { say: 'result'; bytes: Uint8Array; rows: number; last: boolean }
  | { say: 'answered'; rows: number; columns: ColumnFound[]; queryMs: number; memoryBytes: number }
  /** Closes a load or a query; `poisoned`: the instance cannot be used any more. */
  | { say: 'failed'; code: string; detail: string; poisoned: boolean };
