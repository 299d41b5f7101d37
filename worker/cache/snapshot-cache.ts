/** Keeps snapshots of loaded traces on disk, and finds those of other workers. */
import {
  encodeSnapshot,
  type Snapshot,
  SnapshotUnreadable,
  SnapshotUnusable,
} from '../../lib/engine/index.ts';
import type { WorkerCounters } from '../counters.ts';
import { CacheDirectory, type CacheDirectoryOptions } from './cache-directory.ts';
import type { SharedSnapshots } from './shared/shared-snapshots.ts';

export interface SnapshotCacheOptions
  extends Pick<CacheDirectoryOptions, 'directory' | 'neighbours' | 'bytesMax' | 'logger'> {
  counters: WorkerCounters;
  /** Snapshots that all workers share, if there is a store for them. */
  shared?: SharedSnapshots | undefined;
}

/** Maximum number of remembered paths; above it, all are forgotten. */
const DAMAGED_PATHS_MAX = 10_000;
/** Maximum number of remembered keys; above it, all are forgotten. */
const ELSEWHERE_MAX = 100_000;

export class SnapshotCache {
  readonly #options: SnapshotCacheOptions;
  readonly #files: CacheDirectory;
  /** Paths of damaged snapshots. Those of other workers cannot be removed, so they are skipped. */
  readonly #damagedPaths = new Set<string>();
  /** Keys of traces for which another worker had a snapshot when this was last checked. */
  readonly #elsewhere = new Set<string>();

  private constructor(options: SnapshotCacheOptions, files: CacheDirectory) {
    this.#options = options;
    this.#files = files;
  }

  /**
   * Opens the directory and takes over the snapshots that an earlier worker left there. Never rejects:
   * failures are logged.
   */
  static async open(options: SnapshotCacheOptions): Promise<SnapshotCache> {
    const { counters, shared: _, ...directory } = options;
    const files = await CacheDirectory.open({
      ...directory,
      suffix: '.image',
      what: 'snapshots',
      isWrong,
      onFailed: () => counters.add('snapshots_failed'),
    });
    return new SnapshotCache(options, files);
  }

  get size(): number {
    return this.#files.size;
  }

  get bytes(): number {
    return this.#files.bytes;
  }

  /** Whether writes are attempted now. */
  get writable(): boolean {
    return this.#files.writable;
  }

  /** Returns whether there is a snapshot of the trace in a directory that the worker reads. */
  async isOnDisk(key: string): Promise<boolean> {
    return this.#files.has(key) || (await this.#atNeighbour(key)) !== undefined;
  }

  /** Returns whether this worker or another one has a snapshot of the trace; a shared one is fetched. */
  async has(key: string, signal: AbortSignal): Promise<boolean> {
    return (
      this.#files.has(key) ||
      (await this.isElsewhere(key)) ||
      (await this.#fetchShared(key, signal))
    );
  }

  async #fetchShared(key: string, signal: AbortSignal): Promise<boolean> {
    const { shared } = this.#options;
    const { name, path } = this.#files.fileOf(key);
    if (shared === undefined || this.#damagedPaths.has(path) || !this.#files.wants(key))
      return false;
    return shared.fetch(name, (pieces) => this.#files.write(key, pieces), signal);
  }

  /** Returns whether another worker has a snapshot of the trace, and remembers it for `wants`. */
  async isElsewhere(key: string): Promise<boolean> {
    const exists = (await this.#atNeighbour(key)) !== undefined;
    if (!exists) this.#elsewhere.delete(key);
    else {
      if (this.#elsewhere.size >= ELSEWHERE_MAX) this.#elsewhere.clear();
      this.#elsewhere.add(key);
    }
    return exists;
  }

  /** Returns whether a snapshot of the trace should be written; other workers' directories are not read. */
  wants(key: string): boolean {
    return this.#files.wants(key) && !this.#elsewhere.has(key);
  }

  /** Returns the path of another worker's snapshot of the trace, if there is one that is not known to be damaged. */
  #atNeighbour(key: string): Promise<string | undefined> {
    return this.#files.atNeighbour(key, (path) => this.#damagedPaths.has(path));
  }

  /**
   * Calls `restore` with the path of the trace's snapshot. Resolves to undefined if there is none, or if it
   * throws SnapshotUnusable; then the worker's own file is removed, unless the error is SnapshotUnreadable.
   * @throws what else `restore` throws
   */
  async restore<Restored>(
    key: string,
    restore: (path: string) => Promise<Restored>,
  ): Promise<Restored | undefined> {
    const attempt = async (path: string): Promise<{ value: Restored } | { thrown: unknown }> => {
      try {
        return { value: await restore(path) };
      } catch (thrown) {
        if (thrown instanceof SnapshotUnusable) throw this.#recordUnusable(path, thrown);
        return { thrown }; // the error is not about the snapshot
      }
    };
    const neighbours = this.#files.has(key) ? undefined : await this.#atNeighbour(key);
    const attempted =
      neighbours === undefined ? this.#files.read(key, attempt) : attempt(neighbours);
    const outcome = await attempted.catch(() => undefined);
    if (outcome !== undefined && 'thrown' in outcome) throw outcome.thrown;
    return outcome?.value;
  }

  /** Counts and logs a failed restore, and remembers a damaged snapshot's path. */
  #recordUnusable(path: string, error: SnapshotUnusable): SnapshotUnusable {
    const { counters, logger } = this.#options;
    counters.add('snapshots_unusable');
    logger.warn({ path, reason: error.message }, 'a snapshot cannot be used');
    if (!isWrong(error)) return error; // the file may be readable next time
    if (this.#damagedPaths.size >= DAMAGED_PATHS_MAX) this.#damagedPaths.clear();
    this.#damagedPaths.add(path);
    return error;
  }

  /** Writes the trace's snapshot if it fits. Never rejects. */
  async write(key: string, snapshot: Snapshot): Promise<void> {
    if (!(await this.#files.write(key, encodeSnapshot(snapshot)))) return;
    this.#options.counters.add('snapshots_written');
    const { name, path } = this.#files.fileOf(key);
    this.#options.shared?.offer(name, path, this.#damagedPaths.has(path));
  }
}

function isWrong(error: unknown): boolean {
  return error instanceof SnapshotUnusable && !(error instanceof SnapshotUnreadable);
}
