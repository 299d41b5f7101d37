/** Where traces are loaded that are not with the worker their hash ranks first: stolen, or retried. */
import type { TraceDigest } from '../query/trace-set.ts';

const ENTRIES_MAX = 100_000;

/** 53 bits of the digest: a wrong hit costs no more than a load. */
function keyOf({ words }: TraceDigest): number {
  return words[0] + (words[1] & 0x1fffff) * 2 ** 32;
}

/** Forgets what was not used for longest. */
export class PlacementMemory {
  readonly #addresses = new Map<number, string>();

  get size(): number {
    return this.#addresses.size;
  }

  /** Address of the worker that had the trace last, where it is not its home. */
  get(digest: TraceDigest): string | undefined {
    return this.#addresses.size === 0 ? undefined : this.#addresses.get(keyOf(digest));
  }

  set(digest: TraceDigest, address: string): void {
    const key = keyOf(digest);
    this.#addresses.delete(key);
    this.#addresses.set(key, address);
    if (this.#addresses.size <= ENTRIES_MAX) return;
    for (const oldest of this.#addresses.keys()) {
      this.#addresses.delete(oldest);
      return;
    }
  }
}
