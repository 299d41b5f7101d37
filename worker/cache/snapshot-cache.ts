/** Keeps snapshots of loaded traces on disk, and finds those of other workers. */
import {
  encodeSnapshot,
  type Snapshot,
  SnapshotUnreadable,
  SnapshotUnusable,
} from '../../lib/engine/index.ts';
import type { WorkerCounters } from '../counters.ts';
import type { SnapshotFile } from '../engines/thread-protocol.ts';
import { CacheDirectory, type CacheDirectoryOptions } from './cache-directory.ts';
import type { SharedSnapshots } from './shared/shared-snapshots.ts';
import type { UncompressedSnapshots } from './uncompressed-snapshots.ts';

export interface SnapshotCacheOptions
  extends Pick<CacheDirectoryOptions, 'directory' | 'neighbours' | 'bytesMax' | 'logger'> {
  counters: WorkerCounters;
  /** Snapshots that all workers share, if there is a store for them. */
  shared?: SharedSnapshots | undefined;
  /** Uncompressed snapshots, if they are kept. */
  uncompressed?: UncompressedSnapshots | undefined;
}

/** Maximum number of remembered paths; above it, all are forgotten. */
const DAMAGED_PATHS_MAX = 10_000;
/** More bytes than a snapshot's file has beside the memory itself. */
const DESCRIPTION_BYTES = 2 ** 20;
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
    const { counters, shared: _shared, uncompressed: _uncompressed, ...directory } = options;
    const files = await CacheDirectory.open({
      ...directory,
      suffix: '.image',
      what: 'snapshots',
      isWrong: isWrongSnapshot,
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

  get uncompressedBytes(): number {
    return this.#options.uncompressed?.bytes ?? 0;
  }

  /** Whether writes are attempted now. */
  get writable(): boolean {
    return this.#files.writable;
  }

  /** Returns whether there is a snapshot of the trace in a directory that the worker reads. */
  async isOnDisk(key: string): Promise<boolean> {
    return this.#hasOwn(key) || (await this.#atNeighbour(key)) !== undefined;
  }

  /** Returns whether this worker or another one has a snapshot of the trace; a shared one is fetched. */
  async has(key: string, signal: AbortSignal): Promise<boolean> {
    return (
      this.#hasOwn(key) || (await this.isElsewhere(key)) || (await this.#fetchShared(key, signal))
    );
  }

  #hasOwn(key: string): boolean {
    return this.#files.has(key) || this.#options.uncompressed?.has(key) === true;
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
    const wanted = this.#files.wants(key) || this.#options.uncompressed?.wants(key) === true;
    return wanted && !this.#elsewhere.has(key);
  }

  /** Returns whether one of the trace's missing snapshots could be written without removing that of another trace. */
  hasRoom(key: string, memoryBytes: number): boolean {
    const { uncompressed } = this.#options;
    return (
      (this.#files.wants(key) && this.#fits(memoryBytes)) ||
      (uncompressed?.wants(key) === true && uncompressed.hasRoom(memoryBytes + DESCRIPTION_BYTES))
    );
  }

  /** Whether a snapshot needs not replace others, or they are not lost: workers share them. */
  #fits(memoryBytes: number): boolean {
    const { shared } = this.#options;
    return shared?.writes === true || this.#files.hasRoom(memoryBytes + DESCRIPTION_BYTES);
  }

  /** Returns the path of another worker's snapshot of the trace, if there is one that is not known to be damaged. */
  #atNeighbour(key: string): Promise<string | undefined> {
    return this.#files.atNeighbour(key, (path) => this.#damagedPaths.has(path));
  }

  /**
   * Calls `restore` with the file of the trace's snapshot, first with the uncompressed one. Resolves to undefined if there is
   * none, or if it throws SnapshotUnusable; then the worker's own file is removed, unless the error is SnapshotUnreadable.
   * @throws what else `restore` throws
   */
  async restore<Restored>(
    key: string,
    restore: (file: SnapshotFile) => Promise<Restored>,
  ): Promise<Restored | undefined> {
    const attempt =
      (uncompressed: boolean) =>
      async (path: string): Promise<{ value: Restored } | { thrown: unknown }> => {
        try {
          return { value: await restore({ path, uncompressed }) };
        } catch (thrown) {
          if (thrown instanceof SnapshotUnusable) throw this.#recordUnusable(path, thrown);
          return { thrown }; // the error is not about the snapshot
        }
      };
    const compressed = async () => {
      const neighbours = this.#files.has(key) ? undefined : await this.#atNeighbour(key);
      return neighbours === undefined
        ? this.#files.read(key, attempt(false))
        : attempt(false)(neighbours);
    };
    const { uncompressed } = this.#options;
    const outcome =
      (await uncompressed?.read(key, attempt(true)).catch(() => undefined)) ??
      (await compressed().catch(() => undefined));
    if (outcome !== undefined && 'thrown' in outcome) throw outcome.thrown;
    return outcome?.value;
  }

  /** Counts and logs a failed restore, and remembers a damaged snapshot's path. */
  #recordUnusable(path: string, error: SnapshotUnusable): SnapshotUnusable {
    const { counters, logger } = this.#options;
    counters.add('snapshots_unusable');
    logger.warn({ path, reason: error.message }, 'a snapshot cannot be used');
    if (!isWrongSnapshot(error)) return error; // the file may be readable next time
    if (this.#damagedPaths.size >= DAMAGED_PATHS_MAX) this.#damagedPaths.clear();
    this.#damagedPaths.add(path);
    return error;
  }

  /** Removes the uncompressed snapshot of the trace. @returns whether there was one */
  async dropUncompressed(key: string): Promise<boolean> {
    const { uncompressed, counters, logger } = this.#options;
    if (uncompressed?.has(key) !== true) return false;
    await uncompressed.remove(key);
    counters.add('snapshots_unusable');
    logger.warn(
      { key },
      'an engine crashed that began with an uncompressed snapshot; it is removed',
    );
    return true;
  }

  /**
   * Writes the trace's snapshots that are missing, if they fit; those for which others would be removed only if it `replaces`.
   * Never rejects.
   */
  async write(key: string, snapshot: Snapshot, replaces = true): Promise<void> {
    const { memoryBytes } = snapshot;
    if (!this.#files.has(key) && (replaces || this.#fits(memoryBytes)))
      await this.#writeCompressed(key, snapshot);
    const { uncompressed } = this.#options;
    if (uncompressed?.wants(key) !== true) return;
    if (replaces || uncompressed.hasRoom(memoryBytes + DESCRIPTION_BYTES))
      await uncompressed.write(key, snapshot);
  }

  async #writeCompressed(key: string, snapshot: Snapshot): Promise<void> {
    if (!(await this.#files.write(key, encodeSnapshot(snapshot)))) return;
    this.#options.counters.add('snapshots_written');
    const { name, path } = this.#files.fileOf(key);
    this.#options.shared?.offer(name, path, this.#damagedPaths.has(path));
  }
}

/** Whether an error means that the snapshot is damaged, or of another format or engine. */
export function isWrongSnapshot(error: unknown): boolean {
  return error instanceof SnapshotUnusable && !(error instanceof SnapshotUnreadable);
}
