/**
 * Finds the files below the root that a pattern matches, in the order of their paths' bytes. It enters only
 * directories in which something can match, and holds only the entries of the directories on the current path in
 * memory.
 */
import type { BigIntStats, Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { BigtraceError } from '../../common/errors.ts';
import { Turns } from '../../common/event-loop-turn.ts';
import {
  type Glob,
  isMatch,
  leadsOn,
  onlyNames,
  type Places,
  step,
} from '../../common/glob/glob.ts';
import { bytesFromText, printable, textFromBytes } from '../../common/text/byte-text.ts';
import { throwIfAborted } from '../failures.ts';
import { fileError } from './file-error.ts';
import { WAITING_FILES } from './files.ts';
import { byteText, type Roots } from './local-file.ts';
import { OpenDirectory, statBelow } from './open-below.ts';
import { type BytePath, bufferOf, resolveBelow } from './rooted-path.ts';

export interface Found {
  /** The path by which the pattern leads to the file; it may contain links. */
  path: string;
  /** Where the file is; valid until the walk continues. */
  place: BytePath;
  /** Whether the place is an entry of an open directory, so that nothing on its way can be replaced. */
  isEntry: boolean;
}

const BATCH = 64;

/** An entry of a directory. It is kept small: a directory may have a million entries. */
interface Entry {
  /** The bytes of the name, with a trailing slash for a directory, so that entries sort as paths do. */
  key: BytePath;
  isDirectory: boolean;
  /** The state of the pattern match inside a directory; empty for a file. */
  places: Places;
  /** The target of a link to a file; undefined for other entries. */
  file: BytePath | undefined;
}

interface Directory {
  /** Path of the directory with a trailing slash; empty for the root. */
  prefix: string;
  /** Undefined if the entries come from the pattern without reading the directory, or if there is no such directory. */
  opened: OpenDirectory | undefined;
  entries: readonly Entry[];
  next: number;
  /** Whether the client wrote all of the prefix literally, so that no part of it matched a wildcard. */
  literal: boolean;
}

export async function* walk(
  roots: Roots,
  glob: Glob,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Found[], void, undefined> {
  throwIfAborted(signal);
  let batch: Found[] = [];
  /** Directories that the walk has finished but that the places of the batch still need. */
  let open: (OpenDirectory | undefined)[] = [];
  const way: Directory[] = [];
  try {
    way.push(await enter(roots, '', glob.begin(), true));
    for (let here = way.at(-1); here !== undefined; here = way.at(-1)) {
      const entry = here.entries[here.next++];
      if (entry === undefined) {
        way.pop();
        open.push(here.opened);
      } else {
        throwIfAborted(signal);
        const path = here.prefix + textFromBytes(bufferOf(entry.key));
        if (entry.isDirectory) way.push(await enter(roots, path, entry.places, here.literal));
        else batch.push(...(await foundAt(roots, entry, here, path)));
      }
      if (batch.length < BATCH && open.length < BATCH) continue;
      yield batch;
      batch = [];
      await closeAll(open.splice(0));
    }
    yield batch;
  } finally {
    await closeAll([...open, ...way.map(({ opened }) => opened)]);
    open = [];
  }
}

async function closeAll(directories: readonly (OpenDirectory | undefined)[]): Promise<void> {
  await Promise.all(directories.map((one) => one?.close()));
}

async function enter(
  roots: Roots,
  prefix: string,
  places: Places,
  literal: boolean,
): Promise<Directory> {
  const names = onlyNames(places);
  if (names !== undefined) {
    const entries = names.flatMap((name) => asEntries(name, step(places, name)));
    return { prefix, opened: undefined, entries: sorted(entries), next: 0, literal };
  }
  const path = await resolved(roots, prefix, literal);
  const opened = path === undefined ? undefined : await openedAt(roots, prefix, path);
  if (path === undefined || opened === undefined)
    return { prefix, opened: undefined, entries: [], next: 0, literal: false };
  try {
    const entries = await entriesOf(roots, { prefix, path, opened }, places);
    return { prefix, opened, entries: sorted(entries), next: 0, literal: false };
  } catch (thrown) {
    await opened.close();
    throw thrown;
  }
}

function sorted(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** Returns the file of an entry, or an empty array if no such file exists. */
async function foundAt(
  roots: Roots,
  { key, file }: Entry,
  { opened, literal }: Directory,
  path: string,
): Promise<Found[]> {
  if (file === undefined && opened !== undefined)
    return [{ path, place: `${opened.path}/${key}`, isEntry: true }];
  const target = file ?? (await resolved(roots, path, literal));
  return target === undefined ? [] : [{ path, place: target, isEntry: false }];
}

/** Returns the entries of a name that was not looked up: a file and a directory, if the pattern allows each. */
function asEntries(name: string, places: Places): Entry[] {
  const bytes = bytesFromText(name).toString('latin1');
  return [...(isMatch(places) ? [fileEntry(bytes)] : []), ...directoryEntry(bytes, places)];
}

const NOWHERE: Places = [];

function fileEntry(key: BytePath, file?: BytePath): Entry {
  return { key, isDirectory: false, places: NOWHERE, file };
}

/** Returns an empty array if nothing below the directory can match. */
function directoryEntry(bytes: BytePath, places: Places): Entry[] {
  return leadsOn(places) ? [{ key: `${bytes}/`, isDirectory: true, places, file: undefined }] : [];
}

function within(directory: BytePath, name: BytePath): BytePath {
  return `${directory === '/' ? '' : directory}/${name}`;
}

/** Returns undefined if the directory no longer exists or is a file. */
async function openedAt(
  roots: Roots,
  prefix: string,
  path: BytePath,
): Promise<OpenDirectory | undefined> {
  try {
    return await OpenDirectory.open(roots[0], path);
  } catch (thrown) {
    return noneOr(thrown, prefix);
  }
}

function noneOr(thrown: unknown, prefix: string): undefined {
  const error = fileError(thrown);
  if (error.code === 'trace_not_found') return undefined;
  throw new BigtraceError(error.code, `${error.detail}: directory ${printable(prefix)}`, {
    cause: thrown,
  });
}

interface Entered {
  prefix: string;
  /** Path without links. */
  path: BytePath;
  opened: OpenDirectory;
}

async function entriesOf(
  roots: Roots,
  { prefix, path, opened }: Entered,
  places: Places,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  const turns = new Turns();
  try {
    for await (const { name, entry } of namesIn(opened.path)) {
      entries.push(...(await entryOf(roots, path, name, entry, places)));
      await turns.next();
    }
  } catch (thrown) {
    return noneOr(thrown, prefix) ?? [];
  }
  return entries;
}

async function* namesIn(directory: BytePath): AsyncGenerator<{ name: BytePath; entry: Dirent }> {
  // With encoding 'buffer' Node returns names as buffers; @types/node (OpenDirOptions) does not declare it.
  const encoding = 'buffer' as BufferEncoding;
  for await (const entry of await opendir(bufferOf(directory), { encoding, bufferSize: 256 })) {
    const name: string | Buffer = entry.name;
    yield { name: Buffer.from(name).toString('latin1'), entry };
  }
}

async function entryOf(
  roots: Roots,
  directory: BytePath,
  bytes: BytePath,
  entry: Dirent,
  from: Places,
): Promise<Entry[]> {
  if (entry.isSymbolicLink()) return linkEntry(roots, within(directory, bytes), bytes, from);
  const isDirectory = entry.isDirectory();
  const places = step(from, textFromBytes(bufferOf(bytes)), { isDirectory });
  if (isDirectory) return directoryEntry(bytes, places);
  return entry.isFile() && isMatch(places) ? [fileEntry(bytes)] : [];
}

/**
 * Returns the entries of a link. A link to a directory is followed only if a component of the pattern matches it, not
 * by `**`, so that links cannot form endless loops.
 */
async function linkEntry(
  roots: Roots,
  link: BytePath,
  bytes: BytePath,
  from: Places,
): Promise<Entry[]> {
  const name = textFromBytes(bufferOf(bytes));
  const asFile = step(from, name);
  const asDirectory = step(from, name, { throughGlobstar: false, isDirectory: true });
  if (!isMatch(asFile) && !leadsOn(asDirectory)) return [];
  const target = await resolved(roots, textFromBytes(bufferOf(link)), false);
  const info = target === undefined ? undefined : await statIfThere(roots, target);
  if (info?.isDirectory()) return directoryEntry(bytes, asDirectory);
  return info?.isFile() && isMatch(asFile) ? [fileEntry(bytes, target)] : [];
}

/** Returns undefined if the file was deleted since its name was read. */
async function statIfThere(roots: Roots, file: BytePath): Promise<BigIntStats | undefined> {
  try {
    return await statBelow(WAITING_FILES, roots[0], file);
  } catch (thrown) {
    const error = fileError(thrown);
    if (error.code === 'trace_not_found') return undefined;
    throw error;
  }
}

/**
 * Resolves a path; undefined if it does not exist. A link out of the root is also undefined, unless the client wrote
 * the path literally: then it is an error.
 * @throws forbidden and other errors of `resolveBelow`
 */
async function resolved(
  roots: Roots,
  path: string,
  literal: boolean,
): Promise<BytePath | undefined> {
  try {
    return await resolveBelow(WAITING_FILES, roots, byteText(path));
  } catch (thrown) {
    const error = fileError(thrown);
    const isNoTrace = error.code === 'trace_not_found' || (error.code === 'forbidden' && !literal);
    if (isNoTrace) return undefined;
    throw error;
  }
}
