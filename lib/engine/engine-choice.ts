/**
 * Which engine a service uses: the bundled one, or one that `bigtrace engine add` installed. Installed engines are
 * directories in `engines` of the data directory; the file `in-use` beside them has the name of the one in use.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { BigtraceError } from '../common/errors.ts';
import { ROOT } from '../common/root.ts';

/**
 * An engine is a directory with `trace_processor.wasm` and maybe `trace_processor_memory64.wasm`, the same version with
 * 64-bit memory.
 */
export const WASM = 'trace_processor.wasm';
export const WASM64 = 'trace_processor_memory64.wasm';

export interface EngineFiles {
  /** `bundled`, or the name of its directory: the name of an installed engine. */
  name: string;
  wasm: string;
  /** The file with 64-bit memory, if there is one. */
  wasm64: string | undefined;
}

export const BUNDLED = 'bundled';
export const BUNDLED_DIRECTORY = join(ROOT, 'vendor/trace-processor');

export function engineFilesIn(directory: string): EngineFiles {
  const name = directory === BUNDLED_DIRECTORY ? BUNDLED : basename(directory);
  const wasm64 = join(directory, WASM64);
  return { name, wasm: join(directory, WASM), wasm64: existsSync(wasm64) ? wasm64 : undefined };
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export function isEngineName(text: string): boolean {
  return NAME.test(text);
}

export function enginesDirectory(dataDir: string): string {
  return join(dataDir, 'engines');
}

export function inUseFile(dataDir: string): string {
  return join(enginesDirectory(dataDir), 'in-use');
}

/** Returns the name of the engine in use. */
export function engineInUse(dataDir: string): string {
  const file = inUseFile(dataDir);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : BUNDLED;
}

/**
 * Returns the files of the engine that `choice` names: an installed engine, `bundled`, or a directory. Without a choice
 * it is the engine in use.
 * @throws BigtraceError invalid_option: there is no such engine
 */
export function chosenEngine(choice: string | undefined, dataDir: string): EngineFiles {
  const name = choice ?? engineInUse(dataDir);
  const directory = directoryOf(name, dataDir);
  const files = engineFilesIn(directory);
  if (name === BUNDLED || existsSync(files.wasm)) return files;
  const origin = choice === undefined ? '`bigtrace engine use`' : '--engine';
  throw new BigtraceError(
    'invalid_option',
    `${origin} ${name}: there is no ${join(directory, WASM)}; \`bigtrace engine list\` names the installed engines`,
  );
}

export function directoryOf(name: string, dataDir: string): string {
  if (name === BUNDLED) return BUNDLED_DIRECTORY;
  const isPath = isAbsolute(name) || name.startsWith('.') || !isEngineName(name);
  return isPath ? resolve(name) : join(enginesDirectory(dataDir), name);
}
