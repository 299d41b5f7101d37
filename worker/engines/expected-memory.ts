/**
 * Estimates the memory that an engine needs for a trace: what an earlier load of the same bytes took or, before the
 * first load, the trace's size times what traces of its format take.
 */
import { LRUCache } from 'lru-cache';
import { type FileFamily, familyOf } from '../../lib/engine/index.ts';

interface Factors {
  /** No trace that was measured took less. */
  least: number;
  usual: number;
}

/** Bytes of memory for each byte of a trace (docs/engines.md): measured over the corpus and generated traces. */
const FACTORS: Record<FileFamily, Factors> = {
  packets: { least: 3, usual: 7 },
  compressed: { least: 3, usual: 35 },
  other: { least: 0, usual: 4 },
};
const UNKNOWN: Factors = { least: 0, usual: FACTORS.packets.usual };
const MOST = Math.max(...Object.values(FACTORS).map(({ usual }) => usual));

const SEEN_MAX = 10_000;

export interface Expected {
  /** An engine needs at least this much, in bytes. */
  leastBytes: number;
  bytes: number;
}

export class ExpectedMemory {
  /** Memory that loaded traces took, by the key of the trace and its generation. */
  readonly #seen = new LRUCache<string, number>({ max: SEEN_MAX });

  /** Records the memory of an engine that holds the trace. */
  saw(key: string, bytes: number): void {
    this.#seen.set(key, Math.max(bytes, this.#seen.get(key) ?? 0));
  }

  /** Returns what an earlier load of the trace took; undefined if there was none. */
  of(key: string): number | undefined {
    return this.#seen.get(key);
  }
}

/** Returns what a trace of this size needs at most in the usual case, whatever its format. */
export function mostBytes(traceBytes: number): number {
  return MOST * traceBytes;
}

/** Estimates by the size and, if it is known, the beginning of a trace. */
export function expectedBytes(traceBytes: number, head: Uint8Array | undefined): Expected {
  const { least, usual } = head === undefined ? UNKNOWN : FACTORS[familyOf(head)];
  return { leastBytes: least * traceBytes, bytes: usual * traceBytes };
}
