/** Compiles a wasm file ahead of time to an addon: wasm2c makes C code of it, and a C compiler machine code. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BigtraceError } from '../../../common/errors.ts';
import { wasmWidth } from '../../wasm/wasm-abi.ts';
import { loadAddon } from '../addon.ts';
import { type AddonRecord, addonFile, recordFile, recordOf } from '../addon-file.ts';
import { builtOf, HOST_SOURCES } from '../host-sources.ts';
import { type Compiler, findCompiler } from './compiler.ts';
import { importsSource } from './imports.ts';
import { type Wasm2c, wasm2cIn } from './wasm2c.ts';

/** wasm2c writes so many C files; the more, the better they spread over cores. */
const C_FILES = 32;
const ERROR_LINES = 5;

const run = promisify(execFile);

/**
 * Floating-point operations must give the same bits as in V8, and code must touch every page of the stack, so that an
 * overflow is found. The handler of faults is ours (host/runtime.c).
 */
const FLAGS = [
  ...['-fPIC', '-fvisibility=hidden', '-fno-strict-aliasing', '-ffp-contract=off'],
  ...['-fstack-clash-protection', '-std=gnu11', '-w'],
  ...['-DWASM_RT_SKIP_SIGNAL_RECOVERY=1', '-DWASM_RT_NONCONFORMING_UNCHECKED_STACK_EXHAUSTION=1'],
];

/** The process keeps the handler of faults, and calls the addon when a thread ends: the addon must stay in memory. */
const LINK_FLAGS = ['-Wl,-z,nodelete'];

export interface CompileOptions {
  wasm: string;
  /** Directory of the addon. */
  out: string;
  /** Directory in which wasm2c is kept. */
  tools: string;
  /** The C compiler; undefined: the best that there is. */
  cc: string | undefined;
  /** `-O2`, or less for a faster compilation. */
  optimization: string;
  onStep: (text: string) => void;
}

/**
 * @returns the addon; `made`: whether it was not there before, made by the same compiler with the same flags
 * @throws BigtraceError invalid_option, store_failed
 */
export async function compileEngine(
  options: CompileOptions,
): Promise<{ addon: string; made: boolean }> {
  const { wasm, out, cc, optimization, onStep } = options;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new BigtraceError(
      'invalid_option',
      `engines are compiled on Linux on x64; this is ${process.platform} on ${process.arch}`,
    );
  const bytes = await readFile(wasm).catch((cause) => {
    throw new BigtraceError('invalid_option', `cannot read ${wasm}: ${cause.message}`, { cause });
  });
  if (wasmWidth(bytes).is64)
    throw new BigtraceError(
      'invalid_option',
      `${wasm} has 64-bit memory; only 32-bit ones are compiled`,
    );
  const digest = createHash('sha256').update(bytes).digest('hex');
  const compiler = findCompiler(cc);
  const wasm2c = await wasm2cIn(options.tools, onStep);
  const made = {
    built: builtOf(digest),
    compiler: compiler.version,
    flags: [optimization, ...FLAGS, ...LINK_FLAGS],
    wasm2c: wasm2c.version,
  };
  const addon = addonFile(out, digest);
  if (isMadeSo(recordOf(addon), made)) return { addon, made: false };
  await mkdir(out, { recursive: true });
  const scratch = await mkdtemp(join(out, '.new-'));
  try {
    const file = await build({ ...made, scratch, wasm, compiler, wasm2c, onStep });
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    const record: AddonRecord = { ...made, sha256 };
    const written = recordFile(file);
    await writeFile(written, `${JSON.stringify(record, null, 2)}\n`);
    await rename(file, addon);
    await rename(written, recordFile(addon));
    return { addon, made: true };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function isMadeSo(record: AddonRecord | undefined, made: Omit<AddonRecord, 'sha256'>): boolean {
  if (record === undefined) return false;
  const { sha256: _, ...was } = record;
  const keys = Object.keys(made) as (keyof typeof made)[];
  return keys.every((key) => JSON.stringify(was[key]) === JSON.stringify(made[key]));
}

interface Build extends Pick<AddonRecord, 'built' | 'flags'> {
  scratch: string;
  wasm: string;
  compiler: Compiler;
  wasm2c: Wasm2c;
  onStep: (text: string) => void;
}

/** Builds the addon in the scratch directory and tries to load it. */
async function build({ scratch, wasm, compiler, wasm2c, flags, built, onStep }: Build) {
  onStep('translating the wasm to C');
  const output = ['--module-name', 'tp', '--num-outputs', String(C_FILES)];
  await command(wasm2c.program, [...output, '--output', join(scratch, 'tp.c'), wasm]);
  for (const [name, text] of Object.entries(HOST_SOURCES))
    await writeFile(join(scratch, name), text);
  const header = await readFile(join(scratch, 'tp.h'), 'utf8');
  await writeFile(join(scratch, 'imports.inc'), importsSource(header, built));
  const include = [scratch, ...wasm2c.include].flatMap((directory) => ['-I', directory]);
  const sources = await bySize(scratch);
  let done = 0;
  await onAllCores(sources, async (name, signal) => {
    const object = join(scratch, name.replace(/c$/, 'o'));
    const files = ['-c', join(scratch, name), '-o', object];
    await command(compiler.command, [...flags, ...include, ...files], signal);
    done++;
    onStep(`compiling with ${compiler.command}: ${done} of ${sources.length} files`);
  });
  onStep('linking');
  const objects = sources.map((name) => join(scratch, name.replace(/c$/, 'o')));
  const addon = join(scratch, 'engine.node');
  const link = ['-shared', '-s', ...LINK_FLAGS, '-o', addon, ...objects, '-lm', '-lpthread'];
  await command(compiler.command, link);
  if (loadAddon(addon).built !== built)
    throw new Error('the addon does not state what it was made of');
  return addon;
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

/** @throws BigtraceError invalid_option with the first lines that a program printed before it failed */
async function command(
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  try {
    await run(program, args, signal === undefined ? {} : { signal });
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string };
    const why = (stderr || message).trim().split('\n').slice(0, ERROR_LINES).join('\n');
    throw new BigtraceError('invalid_option', `${program} failed: ${why}`, { cause });
  }
}
