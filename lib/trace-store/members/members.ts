/** Access to members of archives (zip, tar, and tar compressed with gzip) as traces of their own, in any store. */

import { isTarHeader, TAR_BLOCK_BYTES } from '../../common/archive/tar-header.ts';
import { asBigtraceError, BigtraceError, type ErrorCode } from '../../common/errors.ts';
import type { Glob } from '../../common/glob/glob.ts';
import { notFound, throwIfAborted } from '../failures.ts';
import type { ReadOptions, StoredTrace, TraceStat, TraceStore } from '../trace-store.ts';
import { type Archive, ByteCursor, bytesFrom, inflated, rangeOf } from './archive-bytes.ts';
import type { Directory } from './directory.ts';
import { DirectoryCache } from './directory-cache.ts';
import { BORDER, memberGeneration, memberPaths, shown, splitGeneration } from './member-path.ts';
import { counted, readMember } from './read-member.ts';
import { tarDirectory } from './tar-directory.ts';
import { zipDirectory } from './zip-directory.ts';

/** Default bound of the bytes that are decompressed to reach a member of a compressed tar file. */
export const UNPACKED_BYTES_MAX = 4 * 2 ** 30;

/** What a store reports if there is no such trace; some deny access instead. */
const MISSING = new Set<ErrorCode>(['trace_not_found', 'forbidden']);

export function isMissing(thrown: unknown): boolean {
  return MISSING.has(asBigtraceError(thrown).code);
}

export class Members {
  readonly #unpackedBytesMax: number;
  readonly #directories = new DirectoryCache();

  constructor(unpackedBytesMax = UNPACKED_BYTES_MAX) {
    this.#unpackedBytesMax = unpackedBytesMax;
  }

  /**
   * Returns the stat of a member; undefined if the path names no archive.
   * @throws trace_not_found if it names an archive without this member, or a file that is no archive; trace_invalid
   */
  async stat(
    store: TraceStore,
    path: string,
    signal?: AbortSignal,
  ): Promise<TraceStat | undefined> {
    let failure: unknown;
    for (const { archive, member } of memberPaths(store, path)) {
      const stat = await statIfThere(store, archive, signal);
      if (stat === undefined) continue;
      try {
        const directory = await this.#directory({ store, path: archive, ...stat, signal });
        if (directory === undefined)
          throw notFound(
            `there is no such trace, and ${shown(`/${store.name}/${archive}`)} is no archive (zip, tar, or tar with gzip)`,
          );
        const { size } = directory.member(member);
        return { ...stat, size, generation: memberGeneration(archive, stat.generation) };
      } catch (thrown) {
        if (!isMissing(thrown)) throw thrown; // the member of another archive would be another trace
        failure ??= thrown;
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }

  /** Returns the path with the canonical path of its archive; undefined if no archive has another canonical path. */
  async canonical(
    store: TraceStore,
    path: string,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    for (const { archive } of memberPaths(store, path)) {
      try {
        const canonical = await store.canonical?.(archive, signal);
        if (canonical !== undefined) return canonical + path.slice(archive.length);
      } catch (thrown) {
        if (!isMissing(thrown)) throw thrown;
      }
    }
    return undefined;
  }

  /** @see TraceStore.read; the generation is one that `stat` or `list` returned */
  async *read(
    store: TraceStore,
    pathOfMember: string,
    options: ReadOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal, start = 0 } = options;
    throwIfAborted(signal);
    const {
      archive: path,
      generation,
      member,
    } = splitGeneration(store, pathOfMember, options.generation);
    const archive: Archive = { store, path, generation, size: undefined, signal };
    const directory = await this.#directory(archive);
    if (directory === undefined) throw notFound();
    yield* readMember(archive, directory.member(member), start, this.#unpackedCount());
  }

  /**
   * Returns the members of a file that one of the patterns matches, sorted by name; none if the file is no archive. An
   * archive that cannot be read is returned as one trace, so that its error is not lost.
   */
  async list(
    store: TraceStore,
    { path, ...stat }: StoredTrace,
    patterns: readonly Glob[],
    signal?: AbortSignal,
  ): Promise<StoredTrace[]> {
    const generation = memberGeneration(path, stat.generation);
    const traceOf = (name: string, size: number): StoredTrace => {
      return { ...stat, path: path + BORDER + name, size, generation };
    };
    try {
      const directory = await this.#directory({ store, path, ...stat, signal });
      return [...(directory?.members ?? [])]
        .filter(([name]) => patterns.some((one) => one.matches(name)))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { size }]) => traceOf(name, size));
    } catch (thrown) {
      const { code } = asBigtraceError(thrown);
      if (code === 'trace_not_found') return [];
      if (code === 'trace_invalid' || code === 'limit_exceeded') return [traceOf(UNLISTED, 0)];
      throw thrown;
    }
  }

  #directory(archive: Archive): Promise<Directory | undefined> {
    const { store, path, generation } = archive;
    return this.#directories.get(`/${store.name}/${path}`, generation, () => this.#read(archive));
  }

  /** Reads the directory; undefined if the file is no archive. */
  async #read(found: Archive): Promise<Directory | undefined> {
    const size = found.size ?? (await found.store.stat(found.path, found.signal)).size;
    const archive = { ...found, size };
    const head = await rangeOf(archive, 0, TAR_BLOCK_BYTES);
    if (ZIP_STARTS.has(head.toString('latin1', 0, 4))) return zipDirectory(archive);
    if (isTarHeader(head)) return this.#tar((start) => bytesFrom(archive, start), false);
    if (head.length < GZIP_BYTES_MIN || head.readUInt16BE(0) !== GZIP_START) return undefined;
    const unpacked = (): AsyncGenerator<Uint8Array, void, undefined> =>
      counted(inflated(bytesFrom(archive, 0), 'gzip'), this.#unpackedCount());
    const cursor = new ByteCursor(unpacked, false);
    const start = await cursor.take(TAR_BLOCK_BYTES).finally(() => cursor.close());
    return isTarHeader(start) ? this.#tar(unpacked, true) : undefined;
  }

  async #tar(
    open: (start: number) => AsyncGenerator<Uint8Array, void, undefined>,
    isGzip: boolean,
  ): Promise<Directory> {
    const cursor = new ByteCursor(open, !isGzip);
    try {
      return await tarDirectory(cursor, isGzip);
    } finally {
      await cursor.close();
    }
  }

  /** Returns a function that counts decompressed bytes up to the bound. */
  #unpackedCount(): (bytes: number) => void {
    const max = this.#unpackedBytesMax;
    let total = 0;
    return (bytes) => {
      total += bytes;
      if (total > max)
        throw new BigtraceError(
          'limit_exceeded',
          `the tar file has more than ${max} bytes after decompression (--trace-bytes-max); store it as a zip file, or without gzip`,
        );
    };
  }
}

/** Stands for the members of an archive that cannot be listed. */
const UNLISTED = '*';

/** The beginnings of a zip file, with members and without. */
const ZIP_STARTS = new Set(['PK\x03\x04', 'PK\x05\x06']);
const GZIP_START = 0x1f8b;
const GZIP_BYTES_MIN = 18;

async function statIfThere(
  store: TraceStore,
  path: string,
  signal: AbortSignal | undefined,
): Promise<TraceStat | undefined> {
  try {
    return await store.stat(path, signal);
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}
