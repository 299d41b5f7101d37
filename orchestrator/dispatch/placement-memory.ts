/**
 * Remembers which worker has a trace loaded that ran on another worker than its preferred one (stolen or retried), and
 * the workers that share a trace, because one of them could not keep up with its queries.
 */
import { LRUCache } from 'lru-cache';
import type { TraceDigest } from '../query/trace-set.ts';

const ENTRIES_MAX = 100_000;

/** Returns 53 bits of the digest. A collision costs no more than loading a trace once more. */
function keyOf({ words }: TraceDigest): number {
  return words[0] + (words[1] & 0x1fffff) * 2 ** 32;
}

/** Holds at most ENTRIES_MAX entries; the entry that was used least recently is dropped first. */
export class PlacementMemory {
  readonly #addresses = new LRUCache<number, readonly string[]>({ max: ENTRIES_MAX });

  get size(): number {
    return this.#addresses.size;
  }

  /** Returns the addresses of the workers to run the trace on, the latest first; none: its preferred worker. */
  get(digest: TraceDigest): readonly string[] {
    return this.#addresses.size === 0 ? [] : (this.#addresses.get(keyOf(digest)) ?? []);
  }

  /**
   * Records that the trace ran on a worker.
   * @param overloaded address of the worker on which it would have waited for longer than loading it takes: both share
   *   the trace from now on
   */
  set(digest: TraceDigest, address: string, overloaded?: string): void {
    const known = this.get(digest);
    if (known.includes(address)) return;
    const sharing = overloaded === undefined || known.length > 0 ? known : [overloaded];
    this.#addresses.set(
      keyOf(digest),
      overloaded === undefined ? [address] : [address, ...sharing],
    );
  }
}
