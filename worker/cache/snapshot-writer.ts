/**
 * Decides when the snapshot of a loaded trace is written: while the worker is idle, the trace that took
 * longest to load first; or before the trace's engine is given to another trace. Then the snapshot of a trace that was asked
 * for once replaces no other: a query over very many traces would write one for each, and none would be there for the next query.
 */

import { freeSnapshot } from '../../lib/engine/index.ts';
import type { EnginePool, Lease } from '../engines/engine-pool.ts';
import type { Admission } from '../scheduling/admission.ts';
import type { MemoryPermit } from '../scheduling/memory-permits.ts';
import type { SnapshotCache } from './snapshot-cache.ts';

/**
 * Minimum time to load, in milliseconds, of a trace that gets a snapshot: restoring takes at least about as long.
 */
const SNAPSHOT_COST_MS_MIN = 100;
/** Delay after the last task before the worker counts as idle. */
const IDLE_MS = 300;
/** Maximum number of keys that are remembered of each kind; above it, all are forgotten. */
const KEYS_MAX = 1000;
/** Maximum number of traces of which the worker remembers that they were asked for. */
const ASKED_MAX = 10_000;

export class SnapshotWriter {
  readonly #snapshots: SnapshotCache;
  readonly #admission: Pick<Admission, 'idle' | 'memory'>;
  #pool: EnginePool | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing = false;
  /** Keys of traces whose engine could not give a snapshot: an idle worker would try without end. */
  readonly #without = new Set<string>();
  /**
   * Keys of traces whose snapshots were written since a task used them: if those of others took their place, an idle worker would
   * write them in turns without end.
   */
  readonly #written = new Set<string>();
  /** Keys of the traces that were asked for last, the latest last, and whether each was asked for before. */
  readonly #asked = new Map<string, boolean>();
  #stopped = false;
  #copy: MemoryPermit | undefined;

  constructor(snapshots: SnapshotCache, admission: Pick<Admission, 'idle' | 'memory'>) {
    this.#snapshots = snapshots;
    this.#admission = admission;
  }

  /** Sets the pool whose loaded traces are written while the worker is idle. */
  watch(pool: EnginePool): void {
    this.#pool = pool;
  }

  /** Must be called once for each task that needs an engine, with the key of its trace. */
  asked(key: string): void {
    const before = this.#asked.delete(key);
    this.#asked.set(key, before);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > ASKED_MAX && oldest !== undefined) this.#asked.delete(oldest);
  }

  /** Starts or restarts the idle timer; to be called after each task, with the key of its trace. */
  schedule(key: string): void {
    this.#written.delete(key);
    this.#awaitIdle();
  }

  #awaitIdle(): void {
    if (this.#stopped || !this.#snapshots.writable) return;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#onIdle(), IDLE_MS).unref();
    else this.#timer.refresh();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /**
   * Returns whether the trace should get a snapshot before its engine is reused. `costMs` is the time that
   * loading took, `memoryBytes` the memory of the engine.
   */
  shouldWrite(key: string, costMs: number, memoryBytes: number): boolean {
    if (this.#writing || !this.#worth(key, costMs)) return false;
    return this.#wasAskedAgain(key) || this.#snapshots.hasRoom(key, memoryBytes);
  }

  /** Writes the snapshot of the leased engine's trace, which is evicted, and releases the lease. */
  write(key: string, lease: Pick<Lease, 'engine' | 'release'>): Promise<void> {
    return this.#write(key, lease, this.#wasAskedAgain(key));
  }

  #wasAskedAgain(key: string): boolean {
    return this.#asked.get(key) === true;
  }

  /** @param replaces whether other snapshots may be removed for it */
  async #write(
    key: string,
    lease: Pick<Lease, 'engine' | 'release'>,
    replaces: boolean,
  ): Promise<void> {
    this.#writing = true;
    try {
      if (
        !this.#hasMemoryForCopy(lease.engine.memoryBytes) ||
        (await this.#snapshots.isElsewhere(key))
      )
        return await lease.release();
      // The engine may have ended, or lack the memory for a snapshot; then none is written.
      const snapshot = await lease.engine.snapshot(key).catch(() => undefined);
      if (snapshot === undefined) this.#giveUp(key);
      await lease.release();
      if (snapshot === undefined) return;
      await this.#snapshots.write(key, snapshot, replaces);
      freeSnapshot(snapshot); // before its memory is given to others
      if (this.#snapshots.writable) remember(this.#written, key);
      if (replaces && this.#snapshots.wants(key)) this.#giveUp(key); // such as one of the engine with 64-bit memory
    } finally {
      this.#copy?.release();
      this.#copy = undefined;
      this.#writing = false;
    }
  }

  get copyBytes(): number {
    return this.#copy?.bytes ?? 0;
  }

  /** Reserves memory for the copy of a large trace; a small one needs none. @returns false if there is none */
  #hasMemoryForCopy(bytes: number): boolean {
    const { memory } = this.#admission;
    if (bytes <= memory.shareBytes) return true;
    this.#copy = memory.takeFree(bytes);
    return this.#copy !== undefined;
  }

  #worth(key: string, costMs: number): boolean {
    if (costMs < SNAPSHOT_COST_MS_MIN || this.#without.has(key) || this.#written.has(key))
      return false;
    return this.#snapshots.wants(key);
  }

  #giveUp(key: string): void {
    remember(this.#without, key);
  }

  #onIdle(): void {
    if (this.#stopped || this.#writing) return;
    if (!this.#admission.idle) return; // the running task calls schedule() when it ends
    const next = this.#pool?.costliestIdle((key, costMs) => this.#worth(key, costMs));
    if (next === undefined) return;
    void this.#write(next.key, next.lease, true).then(() => this.#awaitIdle());
  }
}

function remember(keys: Set<string>, key: string): void {
  if (keys.size >= KEYS_MAX) keys.clear();
  keys.add(key);
}
