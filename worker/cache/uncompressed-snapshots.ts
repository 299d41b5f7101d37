/**
 * Keeps uncompressed snapshots on disk beside the compressed ones, within a bound of their own. A compiled engine begins with
 * one in milliseconds, because it reads only what a script touches.
 */
import {
  type Engine,
  encodeMemory,
  imageKey,
  type RegionCheck,
  regionCheck,
  type Snapshot,
} from '../../lib/engine/index.ts';
import type { WorkerCounters } from '../counters.ts';
import { CacheDirectory, type CacheDirectoryOptions, removeUnfinished } from './cache-directory.ts';

const SUFFIX = '.memory';

export interface UncompressedOptions
  extends Pick<CacheDirectoryOptions, 'directory' | 'bytesMax' | 'isWrong' | 'logger'> {
  engine: Pick<Engine, 'code' | 'initial' | 'identity'>;
  counters: WorkerCounters;
}

export class UncompressedSnapshots {
  readonly #options: UncompressedOptions;
  readonly #files: CacheDirectory;
  readonly #check: RegionCheck;

  private constructor(options: UncompressedOptions, files: CacheDirectory, check: RegionCheck) {
    this.#options = options;
    this.#files = files;
    this.#check = check;
  }

  /**
   * Opens the directory with what an earlier worker left there; undefined if none are wanted, or the engine cannot read any. Never
   * rejects: failures are logged.
   */
  static async open(options: UncompressedOptions): Promise<UncompressedSnapshots | undefined> {
    const { directory, bytesMax, isWrong, logger, counters } = options;
    if (directory === undefined) return undefined;
    const check = bytesMax === 0 ? undefined : regionCheck(options.engine.code);
    if (check === undefined) {
      await removeUnfinished(directory, SUFFIX);
      if (bytesMax > 0)
        logger.warn(
          'the engine is not compiled, or the processor lacks SSE 4.2: no uncompressed snapshots are kept',
        );
      return undefined;
    }
    const files = await CacheDirectory.open({
      ...{ directory, neighbours: [], bytesMax, suffix: SUFFIX, what: 'uncompressed snapshots' },
      ...{ isWrong, onFailed: () => counters.add('snapshots_failed'), logger },
    });
    return new UncompressedSnapshots(options, files, check);
  }

  get bytes(): number {
    return this.#files.bytes;
  }

  has(key: string): boolean {
    return this.#files.has(key);
  }

  wants(key: string): boolean {
    return this.#files.wants(key);
  }

  hasRoom(bytes: number): boolean {
    return this.#files.hasRoom(bytes);
  }

  /** As CacheDirectory.read. */
  read<Value>(key: string, decode: (path: string) => Promise<Value>): Promise<Value | undefined> {
    return this.#files.read(key, decode);
  }

  remove(key: string): Promise<void> {
    return this.#files.remove(key);
  }

  /** Writes the trace's snapshot if it fits, and is of this engine. Never rejects. */
  async write(key: string, snapshot: Snapshot): Promise<void> {
    const { initial, identity } = this.#options.engine;
    if (snapshot.engine !== identity) return;
    const owner = { engine: identity, key: imageKey(key) };
    if (await this.#files.write(key, encodeMemory([initial, snapshot], owner, this.#check)))
      this.#options.counters.add('uncompressed_snapshots_written');
  }
}
