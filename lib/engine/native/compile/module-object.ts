/**
 * The machine code of a wasm file, without the code of the host: wasm2c makes C code of it, and a C compiler an object. That
 * takes minutes, so the object is kept, by the digest of all that it is made of; a changed host is only linked again.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { makeDirectoryLater } from '../../../common/directories.ts';
import { command } from './command.ts';
import type { Compiler } from './compiler.ts';
import { markUsed, pruneObjects } from './kept-objects.ts';
import type { Wasm2c } from './wasm2c.ts';

/** wasm2c writes so many C files; the more, the better they spread over cores. */
const C_FILES = 32;

export interface ModuleSources {
  wasm: string;
  /** SHA-256 of the wasm file, hex. */
  digest: string;
  compiler: Compiler;
  wasm2c: Wasm2c;
  /** Flags of the C compiler. */
  flags: readonly string[];
}

export interface ModuleObject {
  /** Directory of `tp.h`, which declares the exports and imports of the module. */
  include: string;
  object: string;
}

/**
 * Returns the object that is kept in `directory`; makes it if it is not there, or was damaged. Then objects that were not used
 * for long are deleted, if there are too many.
 * @throws BigtraceError invalid_option: a program failed
 */
export async function moduleObject(
  directory: string,
  sources: ModuleSources,
  onStep: (text: string) => void,
): Promise<ModuleObject> {
  const { digest, compiler, wasm2c, flags } = sources;
  const made = JSON.stringify([digest, compiler.version, wasm2c.version, C_FILES, flags]);
  const kept = join(directory, createHash('sha256').update(made).digest('hex').slice(0, 32));
  await markUsed(kept);
  if (!(await isWhole(kept))) {
    await makeDirectoryLater(directory);
    const scratch = await mkdtemp(`${kept}.new-`);
    try {
      await make(scratch, sources, onStep);
      await writeFile(join(scratch, DIGEST), await digestOf(scratch));
      await keep(scratch, kept);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    await pruneObjects(directory);
  }
  return { include: kept, object: join(kept, OBJECT) };
}

const OBJECT = 'module.o';
const HEADER = 'tp.h';
const DIGEST = 'sha256';

async function digestOf(directory: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of [HEADER, OBJECT]) hash.update(await readFile(join(directory, name)));
  return hash.digest('hex');
}

async function isWhole(directory: string): Promise<boolean> {
  try {
    return (await readFile(join(directory, DIGEST), 'utf8')) === (await digestOf(directory));
  } catch {
    return false;
  }
}

/** Moves a new object to its place, unless another process was faster, which may link it now. */
async function keep(made: string, kept: string): Promise<void> {
  try {
    await rename(made, kept);
  } catch {
    if (await isWhole(kept)) return;
    await rm(kept, { recursive: true, force: true });
    await rename(made, kept);
  }
}

/** Makes the object in the directory, and leaves nothing beside it but the header. */
async function make(
  directory: string,
  { wasm, compiler, wasm2c, flags }: ModuleSources,
  onStep: (text: string) => void,
): Promise<void> {
  onStep('translating the wasm to C');
  const sources = join(directory, 'c');
  await mkdir(sources);
  const output = ['--module-name', 'tp', '--num-outputs', String(C_FILES)];
  await command(wasm2c.program, [...output, '--output', join(sources, 'tp.c'), wasm]);
  const include = [sources, ...wasm2c.include].flatMap((each) => ['-I', each]);
  const names = await bySize(sources);
  let done = 0;
  await onAllCores(names, async (name, signal) => {
    const files = ['-c', join(sources, name), '-o', join(sources, `${name}.o`)];
    await command(compiler.command, [...flags, ...include, ...files], signal);
    done++;
    onStep(`compiling with ${compiler.command}: ${done} of ${names.length} files`);
  });
  const objects = names.toSorted().map((name) => join(sources, `${name}.o`));
  await command(compiler.command, ['-r', '-nostdlib', '-o', join(directory, OBJECT), ...objects]);
  await rename(join(sources, HEADER), join(directory, HEADER));
  await rm(sources, { recursive: true });
}

/** Returns the names of the C files, the largest first, so that it is not the last one to be compiled. */
async function bySize(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.c'));
  const sizes = await Promise.all(
    names.map(async (name) => ({ name, size: (await stat(join(directory, name))).size })),
  );
  return sizes.toSorted((one, other) => other.size - one.size).map(({ name }) => name);
}

/** Does `work` for each of `all`. When one fails, the signal ends the others. */
async function onAllCores<T>(
  all: readonly T[],
  work: (one: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const left = all.values();
  const stop = new AbortController();
  const cores = Array.from({ length: availableParallelism() }, async () => {
    for (const one of left) await work(one, stop.signal);
  });
  try {
    await Promise.all(cores);
  } finally {
    stop.abort();
    await Promise.allSettled(cores);
  }
}
