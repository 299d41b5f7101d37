/**
 * The files below the root that a pattern matches, in the order of their paths' bytes. Only directories
 * where something can match are entered, and only the names of directories on the way are in memory.
 */
import type { Dirent, Stats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { bytesFromText, printable, textFromBytes } from '../../common/byte-text.ts';
import { BigtraceError } from '../../common/errors.ts';
import {
  type Glob,
  isMatch,
  leadsOn,
  onlyNames,
  type Places,
  step,
} from '../../common/glob/glob.ts';
import { throwIfAborted } from '../failures.ts';
import { fileError } from './file-error.ts';
import { type BytePath, bufferOf, resolveBelow } from './rooted-path.ts';

export interface Found {
  /** As the pattern leads to it. */
  path: string;
  /** The same without links. */
  file: BytePath;
}

const BATCH = 64;

type Roots = Parameters<typeof resolveBelow>[0];

/** As small as can be: there is one for each file of a directory, and a directory may hold a million. */
interface Entry {
  /** The name's bytes; sorts as the paths do: a directory has the slash behind it. */
  key: BytePath;
  isDirectory: boolean;
  /** Of a directory. */
  places: Places;
  /** Where the name is a link to a file: what it leads to. */
  file: BytePath | undefined;
}

interface Directory {
  /** Of its path, with the slash; empty for the root. */
  prefix: string;
  /** Without links; undefined where its names are the pattern's and nobody has looked. */
  directory: BytePath | undefined;
  entries: readonly Entry[];
  next: number;
  /** Whether nothing in the prefix was matched by a wildcard: then it is the asker's own word. */
  literal: boolean;
}

export async function* walk(
  roots: Roots,
  glob: Glob,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Found[], void, undefined> {
  const open = async (prefix: string, places: Places, literal: boolean): Promise<Directory> => {
    const names = onlyNames(places);
    const directory = names === undefined ? await resolved(roots, prefix, literal) : undefined;
    const entries =
      names?.flatMap((name) => asEntries(name, step(places, name))) ??
      (await entriesOf(roots, prefix, directory, places));
    entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    return { prefix, directory, entries, next: 0, literal: literal && names !== undefined };
  };

  const fileOf = (
    { key, file }: Entry,
    { directory, literal }: Directory,
    path: string,
  ): BytePath | Promise<BytePath | undefined> =>
    file ?? (directory === undefined ? resolved(roots, path, literal) : within(directory, key));

  throwIfAborted(signal);
  let batch: Found[] = [];
  const way = [await open('', glob.begin(), true)];
  for (let here = way.at(-1); here !== undefined; here = way.at(-1)) {
    const entry = here.entries[here.next++];
    if (entry === undefined) {
      way.pop();
      continue;
    }
    throwIfAborted(signal);
    const path = here.prefix + textFromBytes(bufferOf(entry.key));
    if (entry.isDirectory) {
      way.push(await open(path, entry.places, here.literal));
    } else {
      const file = await fileOf(entry, here, path);
      if (file !== undefined && batch.push({ path, file }) === BATCH) {
        yield batch;
        batch = [];
      }
    }
  }
  yield batch;
}

/** A name that is not looked up: both a file's and a directory's, as far as the pattern allows. */
function asEntries(name: string, places: Places): Entry[] {
  const bytes = bytesFromText(name).toString('latin1');
  return [...(isMatch(places) ? [fileEntry(bytes)] : []), ...directoryEntry(bytes, places)];
}

const NOWHERE: Places = [];

function fileEntry(key: BytePath, file?: BytePath): Entry {
  return { key, isDirectory: false, places: NOWHERE, file };
}

/** None where nothing below it can match. */
function directoryEntry(bytes: BytePath, places: Places): Entry[] {
  return leadsOn(places) ? [{ key: `${bytes}/`, isDirectory: true, places, file: undefined }] : [];
}

function within(directory: BytePath, name: BytePath): BytePath {
  return `${directory === '/' ? '' : directory}/${name}`;
}

async function entriesOf(
  roots: Roots,
  prefix: string,
  directory: BytePath | undefined,
  places: Places,
): Promise<Entry[]> {
  if (directory === undefined) return [];
  const entries: Entry[] = [];
  try {
    for await (const { name, entry } of namesIn(directory)) {
      entries.push(...(await entryOf(roots, directory, name, entry, places)));
    }
  } catch (thrown) {
    const error = fileError(thrown);
    if (error.code === 'trace_not_found') return []; // vanished meanwhile, or a file where a directory was meant
    throw new BigtraceError(error.code, `${error.detail}: directory ${printable(prefix)}`, {
      cause: thrown,
    });
  }
  return entries;
}

async function* namesIn(directory: BytePath): AsyncGenerator<{ name: BytePath; entry: Dirent }> {
  // Node gives names as buffers then; only its types do not know (@types/node: OpenDirOptions).
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
  const places = step(from, textFromBytes(bufferOf(bytes)));
  if (entry.isDirectory()) return directoryEntry(bytes, places);
  return entry.isFile() && isMatch(places) ? [fileEntry(bytes)] : [];
}

/** A link to a directory is followed where the pattern has a component for it, not by `**`: no loops. */
async function linkEntry(
  roots: Roots,
  link: BytePath,
  bytes: BytePath,
  from: Places,
): Promise<Entry[]> {
  const name = textFromBytes(bufferOf(bytes));
  const asFile = step(from, name);
  const asDirectory = step(from, name, { throughGlobstar: false });
  if (!isMatch(asFile) && !leadsOn(asDirectory)) return [];
  const target = await resolved(roots, textFromBytes(bufferOf(link)), false);
  const found = target === undefined ? undefined : await statIfThere(target);
  if (found?.isDirectory()) return directoryEntry(bytes, asDirectory);
  return found?.isFile() && isMatch(asFile) ? [fileEntry(bytes, target)] : [];
}

/** Undefined for what vanished since its name was read. */
async function statIfThere(file: BytePath): Promise<Stats | undefined> {
  try {
    return await stat(bufferOf(file));
  } catch (thrown) {
    const error = fileError(thrown);
    if (error.code === 'trace_not_found') return undefined;
    throw error;
  }
}

/** Links that lead nowhere or out of the root are not traces here; only what the asker wrote is an error. */
async function resolved(
  roots: Roots,
  path: string,
  literal: boolean,
): Promise<BytePath | undefined> {
  try {
    return await resolveBelow(roots, bytesFromText(path).toString('latin1'));
  } catch (thrown) {
    const error = fileError(thrown);
    const isNoTrace = error.code === 'trace_not_found' || (error.code === 'forbidden' && !literal);
    if (isNoTrace) return undefined;
    throw error;
  }
}
