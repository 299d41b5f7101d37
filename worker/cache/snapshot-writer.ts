/**
 * Decides when a loaded trace's image is written: while there is nothing else to do, the costliest first;
 * and when a trace is let go that has none.
 */

import type { EnginePool, Lease } from '../engines/slot-pool.ts';
import type { Admission } from '../scheduling/admission.ts';
import type { SnapshotCache } from './snapshot-cache.ts';

/** Restoring an image takes about so long at least: what loads as fast needs none. */
export const SNAPSHOT_COST_MS_MIN = 100;
/** A worker that had nothing to do for so long is idle. */
const IDLE_MS = 300;

export class SnapshotWriter {
  readonly #images: SnapshotCache;
  readonly #admission: Pick<Admission, 'idle'>;
  #pool: EnginePool | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing = false;
  #stopped = false;

  constructor(images: SnapshotCache, admission: Pick<Admission, 'idle'>) {
    this.#images = images;
    this.#admission = admission;
  }

  /** Begins to look for traces in the pool that have no image. */
  watch(pool: EnginePool): void {
    this.#pool = pool;
  }

  /** To be called after work was done. */
  schedule(): void {
    if (this.#stopped || !this.#images.writable) return;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#onIdle(), IDLE_MS).unref();
    else this.#timer.refresh();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Whether the trace of `key` is to have an image before it is let go. */
  shouldWrite(key: string, costMs: number): boolean {
    return !this.#writing && this.#worth(key, costMs);
  }

  /** Writes the image of the trace that the lease holds, and then releases it. */
  async write(key: string, lease: Pick<Lease, 'slot' | 'release'>): Promise<void> {
    this.#writing = true;
    try {
      if (await this.#images.isElsewhere(key)) return await lease.release();
      // No snapshot: the slot is gone, or has no memory for it. Then there is no image.
      const image = await lease.slot.snapshot(key).catch(() => undefined);
      await lease.release();
      if (image !== undefined) await this.#images.write(key, image);
    } finally {
      this.#writing = false;
    }
  }

  #worth(key: string, costMs: number): boolean {
    return costMs >= SNAPSHOT_COST_MS_MIN && this.#images.wants(key);
  }

  #onIdle(): void {
    if (this.#stopped || this.#writing) return;
    if (!this.#admission.idle) return; // who works pokes when he is done
    const next = this.#pool?.costliestIdle((key, costMs) => this.#worth(key, costMs));
    if (next === undefined) return;
    void this.write(next.key, next.lease).then(() => this.schedule());
  }
}
