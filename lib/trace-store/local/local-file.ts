/** The stat and the bytes of one file below the root, by either kind of file system calls (files.ts). */
import type { BigIntStats } from 'node:fs';
import { BigtraceError } from '../../common/errors.ts';
import { bytesFromText } from '../../common/text/byte-text.ts';
import { changed, notFound, throwIfAborted, wrongLength } from '../failures.ts';
import type { ReadOptions, TraceStat } from '../trace-store.ts';
import { fileError } from './file-error.ts';
import type { Files } from './files.ts';
import { openFileBelow, statBelow } from './open-below.ts';
import { type BytePath, bufferOf, resolveBelow } from './rooted-path.ts';

const CHUNK_BYTES = 1 << 20;
/** The base in which generations have their numbers. */
const RADIX = 36;

/** The root directory with its links resolved, and as the operator wrote it. */
export type Roots = readonly [BytePath, BytePath];

export async function statFile(files: Files, roots: Roots, path: string): Promise<TraceStat> {
  return guard(async () =>
    statOf(await statBelow(files, roots[0], await resolveBelow(files, roots, byteText(path)))),
  );
}

/** Returns the stat of an entry of a directory; does not follow a link. */
export async function statEntry(files: Files, path: BytePath): Promise<TraceStat> {
  return guard(async () => statOf(await files.lstatExactly(bufferOf(path))));
}

/** @see TraceStore.read */
export async function* readFile(
  files: Files,
  roots: Roots,
  path: string,
  { generation, start = 0, signal }: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  throwIfAborted(signal);
  const file = await guard(async () =>
    openFileBelow(files, roots[0], await resolveBelow(files, roots, byteText(path))),
  );
  try {
    const unchangedSize = async (): Promise<number> => {
      const now = statOf(await guard(async () => file.stat({ bigint: true })));
      if (now.generation !== generation) throw changed();
      return now.size;
    };
    const size = await unchangedSize();
    for (let at = start; at < size; ) {
      throwIfAborted(signal);
      const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, size - at));
      const { bytesRead } = await guard(async () => file.read(chunk, 0, chunk.length, at));
      await unchangedSize();
      if (bytesRead === 0) throw wrongLength(at, size);
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

export async function guard<Value>(operation: () => Promise<Value>): Promise<Value> {
  try {
    return await operation();
  } catch (thrown) {
    throw fileError(thrown);
  }
}

/** @throws invalid_address if the path contains a NUL, which no file name can */
export function byteChecked(path: string): string {
  if (path.includes('\0'))
    throw new BigtraceError('invalid_address', 'a path cannot contain a NUL');
  return path;
}

/** @throws invalid_address as `byteChecked` */
export function byteText(path: string): BytePath {
  return bytesFromText(byteChecked(path)).toString('latin1');
}

export function statOf(stats: BigIntStats): TraceStat & { size: number } {
  if (stats.isDirectory())
    throw notFound('it is a directory; use a pattern that ends in /** for the traces in it');
  if (!stats.isFile()) throw notFound('it is not a file but a link, device, fifo or socket');
  return {
    size: Number(stats.size),
    generation: [stats.size, stats.mtimeNs, stats.ino].map((n) => n.toString(RADIX)).join('-'),
    modifiedMs: Number(stats.mtimeMs),
  };
}

/** Returns the size that a file of this generation has; NaN if it is no generation of a file. */
export function sizeIn(generation: string): number {
  return Number.parseInt(generation, RADIX);
}
