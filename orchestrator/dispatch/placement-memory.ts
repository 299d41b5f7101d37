/** Remembers which worker has a trace loaded that ran on another worker than its preferred one (stolen or retried). */
import { LRUCache } from 'lru-cache';
import type { TraceDigest } from '../query/trace-set.ts';

const ENTRIES_MAX = 100_000;

/** Returns 53 bits of the digest. A collision costs no more than loading a trace once more. */
function keyOf({ words }: TraceDigest): number {
  return words[0] + (words[1] & 0x1fffff) * 2 ** 32;
}

/** Holds at most ENTRIES_MAX entries; the entry that was used least recently is dropped first. */
export class PlacementMemory {
  readonly #addresses = new LRUCache<number, string>({ max: ENTRIES_MAX });

  get size(): number {
    return this.#addresses.size;
  }

  /** Returns the address of the worker that last ran the trace, if that was not its preferred worker. */
  get(digest: TraceDigest): string | undefined {
    return this.#addresses.size === 0 ? undefined : this.#addresses.get(keyOf(digest));
  }

  set(digest: TraceDigest, address: string): void {
    this.#addresses.set(keyOf(digest), address);
  }
}
