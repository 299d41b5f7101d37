/** Defines the flags for the engine of `bigtrace worker`, and of `bigtrace up`, which passes it to its workers. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { addonsDirectory, ENGINE_RUNTIMES, type RuntimeChoice } from '../lib/engine/index.ts';

export function engineOption(): Option {
  return new Option(
    '--engine <name|dir>',
    'engine to use: the name of one that `bigtrace engine add` installed, `bundled`, or a directory with its files ' +
      '(default: the one of `bigtrace engine use`, or the bundled one)',
  ).env('BIGTRACE_ENGINE');
}

export interface RuntimeFlags {
  engineRuntime: (typeof ENGINE_RUNTIMES)[number];
  engineAddons?: string;
}

export function runtimeOption(): Option {
  return new Option(
    '--engine-runtime <runtime>',
    'what executes the engine: `v8`, `native` (machine code that `bigtrace engine compile` made), or `auto` ' +
      '(native if the engine was compiled)',
  )
    .choices(ENGINE_RUNTIMES)
    .default('v8')
    .env('BIGTRACE_ENGINE_RUNTIME');
}

export function addonsOption(): Option {
  return new Option(
    '--engine-addons <dir>',
    'directory of compiled engines (default: engines/native in the data directory)',
  ).env('BIGTRACE_ENGINE_ADDONS');
}

export function runtimeChoice(
  { engineRuntime, engineAddons }: RuntimeFlags,
  dataDir: string,
): RuntimeChoice {
  return { runtime: engineRuntime, addons: resolve(engineAddons ?? addonsDirectory(dataDir)) };
}
