/**
 * Compiles the bundled engine for tests and benches: the module once for each engine, compiler and set of flags on a machine
 * (lib/engine/native/compile), and links it with the host of this checkout.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../root.mjs';

/** The directory of the compiled engine. */
export const ADDONS =
  process.env.BIGTRACE_ENGINE_ADDONS || join(root, 'node_modules/.cache/engines');

/** Compiles the engine unless that was done before. @returns {number} the exit code */
export function compileNative() {
  const args = ['cli/bigtrace.mjs', 'engine', 'compile', 'bundled', '--out', ADDONS];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  return status ?? 1;
}
