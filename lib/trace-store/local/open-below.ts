/**
 * Opens files and directories below the root only. A path that was resolved link by link (rooted-path.ts) may lead
 * out of the root by the time it is opened, if a directory on the way was replaced by a link. Therefore the location
 * of the opened file is checked before anything is read from it, and later calls use the open file, not the path.
 */
import { type BigIntStats, constants } from 'node:fs';
import { type Files, type OpenFile, WAITING_FILES } from './files.ts';
import { type BytePath, bufferOf, forbidden } from './rooted-path.ts';

/** Linux's O_PATH, which Node does not define: the file is located but not opened for reading or writing. */
const PLACE_ONLY = 0o10_000_000;
const IS_LINUX = process.platform === 'linux';

/**
 * @param path a path without links
 * @throws forbidden if the opened file is not below the root; what `open` throws
 */
async function openBelow(
  files: Files,
  root: BytePath,
  path: BytePath,
  flags: number,
): Promise<OpenFile> {
  // NOFOLLOW: the last component may be a link by now. NONBLOCK: opening a fifo must not block.
  const safe = flags | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const opened = await files.open(bufferOf(path), safe);
  try {
    if (IS_LINUX && !isBelow(root, await placeOf(files, opened))) throw forbidden();
    return opened;
  } catch (thrown) {
    await opened.close();
    throw thrown;
  }
}

/** Returns the path at which the kernel locates the open file now. */
async function placeOf(files: Files, { fd }: OpenFile): Promise<BytePath> {
  const place = await files.readlink(`/proc/self/fd/${fd}`);
  return place.toString('latin1');
}

function isBelow(root: BytePath, place: BytePath): boolean {
  return place === root || place.startsWith(root === '/' ? '/' : `${root}/`);
}

export function openFileBelow(files: Files, root: BytePath, path: BytePath): Promise<OpenFile> {
  return openBelow(files, root, path, constants.O_RDONLY);
}

/** Returns the stat of a file, directory or special file without opening it for reading. */
export async function statBelow(
  files: Files,
  root: BytePath,
  path: BytePath,
): Promise<BigIntStats> {
  if (!IS_LINUX) return files.lstatExactly(bufferOf(path));
  const opened = await openBelow(files, root, path, PLACE_ONLY);
  try {
    return await opened.stat({ bigint: true });
  } finally {
    await opened.close();
  }
}

/** An open directory: on Linux it stays the same directory even if its path is replaced. */
export class OpenDirectory {
  readonly #handle: OpenFile;
  readonly #path: BytePath;

  private constructor(handle: OpenFile, path: BytePath) {
    this.#handle = handle;
    this.#path = path;
  }

  static async open(root: BytePath, path: BytePath): Promise<OpenDirectory> {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY;
    return new OpenDirectory(await openBelow(WAITING_FILES, root, path, flags), path);
  }

  /** A path that leads to this directory, for reading its entries, until it is closed. */
  get path(): BytePath {
    return IS_LINUX ? `/proc/self/fd/${this.#handle.fd}` : this.#path;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
