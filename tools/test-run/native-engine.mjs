/** Compiles the bundled engine for tests and benches, once for each engine, compiler and set of flags on a machine. */
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { root } from '../root.mjs';

const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');

/** The directory of the compiled engine. */
export const ADDONS = process.env.BIGTRACE_ENGINE_ADDONS || join(cache, 'bigtrace/engines');

/** Compiles the engine unless that was done before. @returns {number} the exit code */
export function compileNative() {
  const args = ['cli/bigtrace.mjs', 'engine', 'compile', 'bundled', '--out', ADDONS];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  return status ?? 1;
}
