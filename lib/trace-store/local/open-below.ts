/**
 * Opening what lies below the root, and nothing else. A path that was resolved link by link (rooted-path.ts) may lead
 * out of the root by the time it is opened: a directory on the way was swapped for a link. So what was opened is asked
 * where it lies before anything of it is used, and what is used is what was opened, not its path.
 */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, readlink } from 'node:fs/promises';
import { type BytePath, bufferOf, forbidden } from './rooted-path.ts';

/** Linux's O_PATH, which Node does not name: a place in the file system; neither read nor write. */
const PLACE_ONLY = 0o10_000_000;
const IS_LINUX = process.platform === 'linux';

/** @param path without links @throws forbidden for what does not lie below the root, and what open throws */
async function openBelow(root: BytePath, path: BytePath, flags: number): Promise<FileHandle> {
  // NOFOLLOW: the last component may be a link by now. NONBLOCK: a fifo must not hang us.
  const safe = flags | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const opened = await open(bufferOf(path), safe);
  try {
    if (IS_LINUX && !isBelow(root, await placeOf(opened))) throw forbidden();
    return opened;
  } catch (thrown) {
    await opened.close();
    throw thrown;
  }
}

/** The kernel says where it is now. */
async function placeOf({ fd }: FileHandle): Promise<BytePath> {
  const place = await readlink(`/proc/self/fd/${fd}`, { encoding: 'buffer' });
  return place.toString('latin1');
}

function isBelow(root: BytePath, place: BytePath): boolean {
  return place === root || place.startsWith(root === '/' ? '/' : `${root}/`);
}

export function openFileBelow(root: BytePath, path: BytePath): Promise<FileHandle> {
  return openBelow(root, path, constants.O_RDONLY);
}

/** Of the file, directory, or whatever else it is, without opening it for reading. */
export async function statBelow(root: BytePath, path: BytePath): Promise<BigIntStats> {
  if (!IS_LINUX) return lstat(bufferOf(path), { bigint: true });
  const opened = await openBelow(root, path, PLACE_ONLY);
  try {
    return await opened.stat({ bigint: true });
  } finally {
    await opened.close();
  }
}

/** A directory that stays the one that it was when it was opened, whatever becomes of its path. */
export class OpenDirectory {
  readonly #handle: FileHandle;
  readonly #path: BytePath;

  private constructor(handle: FileHandle, path: BytePath) {
    this.#handle = handle;
    this.#path = path;
  }

  static async open(root: BytePath, path: BytePath): Promise<OpenDirectory> {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY;
    return new OpenDirectory(await openBelow(root, path, flags), path);
  }

  /** By which its names can be read. */
  get path(): BytePath {
    return IS_LINUX ? `/proc/self/fd/${this.#handle.fd}` : this.#path;
  }

  /** Of a name in it; a link is not followed. */
  stat(name: BytePath): Promise<BigIntStats> {
    return lstat(bufferOf(`${this.path}/${name}`), { bigint: true });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
