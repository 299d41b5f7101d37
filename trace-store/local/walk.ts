/**
 * The files below the root that a pattern matches, in the order of their paths' bytes. Only directories
 * where something can match are entered, and only the names of directories on the way are in memory.
 */
import type { Dirent, Stats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { bytesFromText, printable, textFromBytes } from '../../common/byte-text.ts';
import { BigtraceError } from '../../common/errors.ts';
import { throwIfAborted } from '../failures.ts';
import { type Glob, isMatch, leadsOn, onlyNames, type Places, step } from '../glob.ts';
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

interface Entry {
  /** Sorts as the paths do: a directory as its name with the slash. */
  key: BytePath;
  name: string;
  isDirectory: boolean;
  places: Places;
  /** Where the name is a link: what it leads to. */
  file?: BytePath;
}

interface Directory {
  /** Of its path, with the slash; empty for the root. */
  prefix: string;
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
    const entries =
      names === undefined
        ? await entriesOf(roots, prefix, places, literal)
        : names.flatMap((name) => asEntries(name, step(places, name)));
    entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    return { prefix, entries, next: 0, literal: literal && names !== undefined };
  };

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
    const path = here.prefix + entry.name;
    if (entry.isDirectory) {
      way.push(await open(`${path}/`, entry.places, here.literal));
    } else {
      const file = entry.file ?? (await resolved(roots, path, here.literal));
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
  return [
    ...(isMatch(places) ? [{ key: bytes, name, isDirectory: false, places }] : []),
    ...(leadsOn(places) ? [{ key: `${bytes}/`, name, isDirectory: true, places }] : []),
  ];
}

async function entriesOf(
  roots: Roots,
  prefix: string,
  places: Places,
  literal: boolean,
): Promise<Entry[]> {
  const directory = await resolved(roots, prefix, literal);
  if (directory === undefined) return [];
  const entries: Entry[] = [];
  try {
    for await (const { name, entry } of namesIn(directory)) {
      const found = await entryOf(roots, directory, name, entry, places);
      if (found !== undefined) entries.push(found);
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
): Promise<Entry | undefined> {
  const name = textFromBytes(bufferOf(bytes));
  const file = `${directory === '/' ? '' : directory}/${bytes}`;
  if (entry.isSymbolicLink()) return linkEntry(roots, file, bytes, name, from);
  const places = step(from, name);
  if (entry.isDirectory())
    return leadsOn(places) ? { key: `${bytes}/`, name, isDirectory: true, places } : undefined;
  return entry.isFile() && isMatch(places)
    ? { key: bytes, name, isDirectory: false, places, file }
    : undefined;
}

/** A link to a directory is followed where the pattern has a component for it, not by `**`: no loops. */
async function linkEntry(
  roots: Roots,
  link: BytePath,
  bytes: BytePath,
  name: string,
  from: Places,
): Promise<Entry | undefined> {
  const asFile = step(from, name);
  const asDirectory = step(from, name, { throughGlobstar: false });
  if (!isMatch(asFile) && !leadsOn(asDirectory)) return undefined;
  const target = await resolved(roots, textFromBytes(bufferOf(link)), false);
  const found = target === undefined ? undefined : await statIfThere(target);
  if (target === undefined || found === undefined) return undefined;
  if (found.isDirectory())
    return leadsOn(asDirectory)
      ? { key: `${bytes}/`, name, isDirectory: true, places: asDirectory }
      : undefined;
  return found.isFile() && isMatch(asFile)
    ? { key: bytes, name, isDirectory: false, places: asFile, file: target }
    : undefined;
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
