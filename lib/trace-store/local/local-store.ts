/** The store of `/local/<path>` addresses: files below one root directory. */
import { type BigIntStats, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isPattern } from '../../common/addresses/address.ts';
import { BigtraceError } from '../../common/errors.ts';
import { Glob } from '../../common/glob/glob.ts';
import { bytesFromText, printable, textFromBytes } from '../../common/text/byte-text.ts';
import { changed, notFound, throwIfAborted, wrongLength } from '../failures.ts';
import { isAfter } from '../path-order.ts';
import type { ReadOptions, StoredTrace, TraceStat, TraceStore } from '../trace-store.ts';
import { fileError } from './file-error.ts';
import { openFileBelow, statBelow } from './open-below.ts';
import { type BytePath, bufferOf, resolveBelow } from './rooted-path.ts';
import { type Found, walk } from './walk.ts';

const CHUNK_BYTES = 1 << 20;

export interface LocalStoreOptions {
  /** The root directory as the operator wrote it: absolute or relative to the working directory; may contain links. */
  root: string;
}

/** @throws invalid_option if the root is not a readable directory */
export function localStore({ root }: LocalStoreOptions): TraceStore {
  const roots = openRoot(root);
  return {
    name: 'local',
    roots: roots.map((one) => textFromBytes(bufferOf(one))),
    canonical: (path, signal) => canonical(roots, path, signal),
    async stat(path, signal) {
      throwIfAborted(signal);
      return guard(async () =>
        statOf(await statBelow(roots[0], await resolveBelow(roots, byteText(path)))),
      );
    },
    read: (path, options) => read(roots, path, options),
    async *list(pattern, { after, signal } = {}) {
      for await (const entries of walk(roots, Glob.parse(byteChecked(pattern)), signal)) {
        const selected = entries.filter(({ path }) => after === undefined || isAfter(path, after));
        const traces = await Promise.all(selected.map(statFound));
        yield traces.filter((trace) => trace !== undefined);
      }
    },
  };
}

/**
 * Returns the path without `..`. The part up to the last `..` is resolved as the kernel would, through links; links
 * after it keep their names.
 */
async function canonical(
  roots: Roots,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const names = path.split('/');
  const behind = names.lastIndexOf('..') + 1;
  const head = names.slice(0, behind).join('/');
  if (behind === 0 || isPattern(head)) return path;
  throwIfAborted(signal);
  const above = await guard(() => resolveBelow(roots, byteText(head)));
  const below = above.slice(roots[0] === '/' ? 1 : roots[0].length + 1);
  const tail = names.slice(behind).join('/');
  return below === '' ? tail : `${textFromBytes(bufferOf(below))}/${tail}`;
}

type Roots = readonly [BytePath, BytePath];

function openRoot(root: string): Roots {
  const bytes = bytesFromText(resolve(root));
  try {
    const real = realpathSync(bytes, { encoding: 'buffer' });
    if (statSync(real).isDirectory()) return [real.toString('latin1'), bytes.toString('latin1')];
  } catch (cause) {
    throw noDirectory(root, cause);
  }
  throw noDirectory(root);
}

function noDirectory(root: string, cause?: unknown): BigtraceError {
  const detail = `the traces directory ${printable(root)} is not a readable directory`;
  return new BigtraceError('invalid_option', detail, { cause });
}

async function* read(
  roots: Roots,
  path: string,
  { generation, start = 0, signal }: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  throwIfAborted(signal);
  const file = await guard(async () =>
    openFileBelow(roots[0], await resolveBelow(roots, byteText(path))),
  );
  try {
    const unchangedSize = async (): Promise<number> => {
      const now = statOf(await guard(() => file.stat({ bigint: true })));
      if (now.generation !== generation) throw changed();
      return now.size;
    };
    const size = await unchangedSize();
    for (let at = start; at < size; ) {
      throwIfAborted(signal);
      const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, size - at));
      const { bytesRead } = await guard(() => file.read(chunk, 0, chunk.length, at));
      await unchangedSize();
      if (bytesRead === 0) throw wrongLength(at, size);
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Returns undefined for a file that was deleted while its directory was being listed. */
async function statFound({ path, stat }: Found): Promise<StoredTrace | undefined> {
  try {
    return { path, ...(await guard(async () => statOf(await stat()))) };
  } catch (thrown) {
    if (thrown instanceof BigtraceError && thrown.code === 'trace_not_found') return undefined;
    throw thrown;
  }
}

async function guard<Value>(operation: () => Promise<Value>): Promise<Value> {
  try {
    return await operation();
  } catch (thrown) {
    throw fileError(thrown);
  }
}

/** @throws invalid_address if the path contains a NUL, which no file name can */
function byteChecked(path: string): string {
  if (path.includes('\0'))
    throw new BigtraceError('invalid_address', 'a path cannot contain a NUL');
  return path;
}

function byteText(path: string): BytePath {
  return bytesFromText(byteChecked(path)).toString('latin1');
}

function statOf(stats: BigIntStats): TraceStat & { size: number } {
  if (stats.isDirectory())
    throw notFound('it is a directory; use a pattern that ends in /** for the traces in it');
  if (!stats.isFile()) throw notFound('it is not a file but a link, device, fifo or socket');
  return {
    size: Number(stats.size),
    generation: [stats.size, stats.mtimeNs, stats.ino].map((n) => n.toString(36)).join('-'),
    modifiedMs: Number(stats.mtimeMs),
  };
}
