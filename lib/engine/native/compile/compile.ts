/** Compiles a wasm file ahead of time to an addon: the object of the module (module-object.ts), linked with the host. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectoryLater } from '../../../common/directories.ts';
import { BigtraceError } from '../../../common/errors.ts';
import { wasmWidth } from '../../wasm/wasm-abi.ts';
import { loadAddon } from '../addon.ts';
import { type AddonRecord, addonFile, recordFile, recordOf } from '../addon-file.ts';
import { builtOf, HOST_SOURCES } from '../host-sources.ts';
import { command } from './command.ts';
import { type Compiler, findCompiler } from './compiler.ts';
import { importsSource } from './imports.ts';
import { type ModuleObject, moduleObject } from './module-object.ts';
import { type Wasm2c, wasm2cIn } from './wasm2c.ts';

/**
 * Floating-point operations must give the same bits as in V8, and code must touch every page of the stack, so that an
 * overflow is found. The handler of faults is ours (host/runtime.c). A load whose value is not used may be omitted: it could
 * only trap. With clang, the memory is addressed through a segment register ("segue"). The host sets it before it enters the
 * module, and after JavaScript ran, so the module need not: to set it after each indirect call took three tenths of a scan. The
 * code of wasm2c sets it unless it has its last value, and is told here that it has.
 */
const FLAGS = [
  ...['-fPIC', '-fvisibility=hidden', '-fno-strict-aliasing', '-ffp-contract=off'],
  ...['-fstack-clash-protection', '-std=gnu11', '-w', '-mfsgsbase', '-DWASM_RT_ALLOW_SEGUE=1'],
  ...['-DWASM_RT_SEGUE_FREE_SEGMENT=1', '-Dwasm_rt_last_segment_val=base'],
  '-DWASM_RT_NONCONFORMING_ALLOW_OOB_READ_ELIMINATION=1',
  ...['-DWASM_RT_SKIP_SIGNAL_RECOVERY=1', '-DWASM_RT_NONCONFORMING_UNCHECKED_STACK_EXHAUSTION=1'],
];

/** The process keeps the handler of faults, and calls the addon when a thread ends: the addon must stay in memory. */
const LINK_FLAGS = ['-Wl,-z,nodelete'];

export interface CompileOptions {
  wasm: string;
  /** Directory of the addon. */
  out: string;
  /** Directory in which wasm2c and the objects of modules are kept. */
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
  const flags = [optimization, ...FLAGS];
  const made = {
    built: builtOf(digest),
    compiler: compiler.version,
    flags: [...flags, ...LINK_FLAGS],
    wasm2c: wasm2c.version,
  };
  const addon = addonFile(out, digest);
  if (isMadeSo(recordOf(addon), made)) return { addon, made: false };
  const sources = { wasm, digest, compiler, wasm2c, flags };
  const module = await moduleObject(join(options.tools, 'engine-objects'), sources, onStep);
  onStep('linking');
  await makeDirectoryLater(out);
  const scratch = await mkdtemp(join(out, '.new-'));
  try {
    const file = await build({ ...made, scratch, module, compiler, wasm2c });
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
  module: ModuleObject;
  compiler: Compiler;
  wasm2c: Wasm2c;
}

/** Links the addon in the scratch directory and tries to load it. */
async function build({ scratch, module, compiler, wasm2c, flags, built }: Build): Promise<string> {
  for (const [name, text] of Object.entries(HOST_SOURCES))
    await writeFile(join(scratch, name), text);
  const header = await readFile(join(module.include, 'tp.h'), 'utf8');
  await writeFile(join(scratch, 'imports.inc'), importsSource(header, built));
  const include = [scratch, module.include, ...wasm2c.include].flatMap((each) => ['-I', each]);
  const sources = Object.keys(HOST_SOURCES)
    .filter((name) => name.endsWith('.c'))
    .map((name) => join(scratch, name));
  const addon = join(scratch, 'engine.node');
  const link = ['-shared', '-s', ...LINK_FLAGS, '-o', addon, ...sources, module.object];
  await command(compiler.command, [...flags, ...include, ...link, '-lm', '-lpthread']);
  if (loadAddon(addon).built !== built)
    throw new Error('the addon does not state what it was made of');
  return addon;
}
