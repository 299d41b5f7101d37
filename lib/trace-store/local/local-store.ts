/** The store of `/local/<path>` addresses: files below one root directory. */
import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isPattern } from '../../common/addresses/address.ts';
import { BigtraceError } from '../../common/errors.ts';
import { Glob } from '../../common/glob/glob.ts';
import { bytesFromText, printable, textFromBytes } from '../../common/text/byte-text.ts';
import { throwIfAborted } from '../failures.ts';
import { isAfter } from '../path-order.ts';
import type { ReadOptions, StoredTrace, TraceStore } from '../trace-store.ts';
import { WAITING_FILES } from './files.ts';
import {
  byteChecked,
  byteText,
  guard,
  type Roots,
  readFile,
  sizeIn,
  statEntry,
  statFile,
  statOf,
} from './local-file.ts';
import { statBelow } from './open-below.ts';
import { QuickFiles } from './quick-files.ts';
import { bufferOf, resolveBelow } from './rooted-path.ts';
import { type Found, walk } from './walk.ts';

/** Size of a file in bytes up to which it is read in one step. */
const QUICK_BYTES_MAX = 128 * 1024;

export interface LocalStoreOptions {
  /** The root directory as the operator wrote it: absolute or relative to the working directory; may contain links. */
  root: string;
  /**
   * URL of the bundle of file-thread.ts, which gives the stat and the bytes of small files with less processor time;
   * undefined: all calls wait in Node's thread pool.
   */
  fileThread?: URL | undefined;
}

/** @throws invalid_option if the root is not a readable directory */
export function localStore({ root, fileThread }: LocalStoreOptions): TraceStore {
  const roots = openRoot(root);
  const quick = fileThread === undefined ? undefined : new QuickFiles(fileThread, roots);
  return {
    name: 'local',
    roots: roots.map((one) => textFromBytes(bufferOf(one))),
    canonical: (path, signal) => canonical(roots, path, signal),
    async stat(path, signal) {
      throwIfAborted(signal);
      return (await quick?.stat(path)) ?? statFile(WAITING_FILES, roots, path);
    },
    read: (path, options) => read(roots, quick, path, options),
    async *list(pattern, { after, signal } = {}) {
      for await (const entries of walk(roots, Glob.parse(byteChecked(pattern)), signal)) {
        const selected = entries.filter(({ path }) => after === undefined || isAfter(path, after));
        const traces = await Promise.all(selected.map((one) => statFound(roots, quick, one)));
        yield traces.filter((trace) => trace !== undefined);
      }
    },
    close: () => quick?.close(),
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
  const above = await guard(() => resolveBelow(WAITING_FILES, roots, byteText(head)));
  const below = above.slice(roots[0] === '/' ? 1 : roots[0].length + 1);
  const tail = names.slice(behind).join('/');
  return below === '' ? tail : `${textFromBytes(bufferOf(below))}/${tail}`;
}

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
  quick: QuickFiles | undefined,
  path: string,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { generation, start = 0, signal } = options;
  throwIfAborted(signal);
  const isSmall = sizeIn(generation) <= QUICK_BYTES_MAX && start === 0;
  const chunks = isSmall ? await quick?.read(path, generation) : undefined;
  throwIfAborted(signal);
  yield* chunks ?? readFile(WAITING_FILES, roots, path, options);
}

/** Returns undefined for a file that was deleted while its directory was being listed. */
async function statFound(
  roots: Roots,
  quick: QuickFiles | undefined,
  { path, place, isEntry }: Found,
): Promise<StoredTrace | undefined> {
  try {
    const stat = isEntry
      ? ((await quick?.statEntry(place)) ?? (await statEntry(WAITING_FILES, place)))
      : await guard(async () => statOf(await statBelow(WAITING_FILES, roots[0], place)));
    return { path, ...stat };
  } catch (thrown) {
    if (thrown instanceof BigtraceError && thrown.code === 'trace_not_found') return undefined;
    throw thrown;
  }
}
