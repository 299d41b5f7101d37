/**
 * Finds the SQL text of TraceProcessor's standard library in the engine's initial memory. Each module has its path
 * there (`slices/with_context.sql`), and its text in one of two forms: behind the path with its length in front (v55),
 * or at an address that a table has behind the path's address (v52).
 */
import { PAGE_BYTES, type Snapshot } from '../snapshot/snapshot.ts';

export interface LibraryModule {
  /** As in INCLUDE PERFETTO MODULE. */
  name: string;
  sql: string;
}

/** The static data of an engine lies at the start of its memory. */
const STATIC_BYTES_MAX = 16 * 2 ** 20;
const MODULE_BYTES_MAX = 2 ** 20;
const SUFFIX = Buffer.from('.sql\0', 'latin1');
const PATH = /[a-z0-9_]+(?:\/[a-z0-9_]+)+\.sql$/;
const PATH_CHARS_MAX = 200;
const LENGTH_BYTES = 4;
/** Package of the library that every script has. TraceProcessor's metrics are a list of such files, too, without it. */
const PRELUDE = 'prelude.';

interface File extends LibraryModule {
  /** Where the file's entry begins and ends. */
  from: number;
  to: number;
}

/** Returns the modules in the order of memory; none if the engine has its library in another form. */
export function libraryModules(initial: Snapshot, is64: boolean): LibraryModule[] {
  const memory = memoryStart(initial);
  const paths = pathsIn(memory);
  const modules = libraryOf(filesBehindPaths(memory, paths));
  return modules.length > 0 ? modules : libraryOf(filesOfTables(memory, paths, is64));
}

/** Returns the prelude's modules in the memory of an engine like v55; none if there is no prelude in this form. */
export function preludeModules(memory: Uint8Array): LibraryModule[] {
  const { buffer, byteOffset, byteLength } = memory;
  const start = Buffer.from(buffer, byteOffset, Math.min(byteLength, STATIC_BYTES_MAX));
  const paths = [...pathsIn(start)].filter(([, path]) => nameOf(path).startsWith(PRELUDE));
  return libraryOf(filesBehindPaths(start, new Map(paths)));
}

function libraryOf(files: readonly File[]): LibraryModule[] {
  const library = listsOf(files).find((list) => list.some(({ name }) => name.startsWith(PRELUDE)));
  return (library ?? []).map(({ name, sql }) => ({ name, sql }));
}

function memoryStart({ runs, contents }: Snapshot): Buffer {
  const memory = Buffer.alloc(STATIC_BYTES_MAX);
  for (let run = 0, at = 0; run < runs.length; run += 2) {
    const from = (runs[run] ?? 0) * PAGE_BYTES;
    const bytes = (runs[run + 1] ?? 0) * PAGE_BYTES;
    const room = Math.max(memory.length - from, 0);
    if (room > 0) memory.set(contents.subarray(at, at + Math.min(bytes, room)), from);
    at += bytes;
  }
  return memory;
}

/** Returns the paths by their addresses, in ascending order. */
function pathsIn(memory: Buffer): Map<number, string> {
  const paths = new Map<number, string>();
  for (let at = memory.indexOf(SUFFIX); at >= 0; at = memory.indexOf(SUFFIX, at + 1)) {
    const end = at + SUFFIX.length - 1;
    const path = PATH.exec(memory.toString('latin1', Math.max(end - PATH_CHARS_MAX, 0), end))?.[0];
    if (path !== undefined) paths.set(end - path.length, path);
  }
  return paths;
}

/** The form of v55: an entry is the length of the path, the path, a NUL, the length of the text, and the text. */
function filesBehindPaths(memory: Buffer, paths: ReadonlyMap<number, string>): File[] {
  return [...paths].flatMap(([at, path]) => {
    const textAt = at + path.length + 1 + LENGTH_BYTES;
    const from = at - LENGTH_BYTES;
    if (from < 0 || textAt > memory.length || memory.readUInt32LE(from) !== path.length) return [];
    const to = textAt + memory.readUInt32LE(textAt - LENGTH_BYTES);
    if (to > Math.min(textAt + MODULE_BYTES_MAX, memory.length)) return [];
    return [{ name: nameOf(path), sql: memory.toString('utf8', textAt, to), from, to }];
  });
}

/** The form of v52: an entry is the address of a path, and that of a text that ends with a NUL. */
function filesOfTables(memory: Buffer, paths: ReadonlyMap<number, string>, is64: boolean): File[] {
  const size = is64 ? 8 : 4;
  const addressAt = (at: number): number =>
    is64 ? Number(memory.readBigUInt64LE(at)) : memory.readUInt32LE(at);
  const files: File[] = [];
  for (let from = 0; from + 2 * size <= memory.length; from += 4) {
    const path = paths.get(addressAt(from));
    if (path === undefined) continue;
    const textAt = addressAt(from + size);
    const end = textAt < memory.length ? memory.indexOf(0, textAt) : -1;
    if (end < 0 || end - textAt > MODULE_BYTES_MAX) continue;
    const sql = memory.toString('utf8', textAt, end);
    files.push({ name: nameOf(path), sql, from, to: from + 2 * size });
  }
  return files;
}

/** Entries of the same list follow one another without a gap. */
function listsOf(files: readonly File[]): File[][] {
  const lists: File[][] = [];
  for (const file of files) {
    const list = lists.at(-1);
    if (list?.at(-1)?.to === file.from) list.push(file);
    else lists.push([file]);
  }
  return lists;
}

function nameOf(path: string): string {
  return path.slice(0, -'.sql'.length).replaceAll('/', '.');
}
