/**
 * `npm run test:native`: compiles the engine, unless that was done on this machine before, and runs the tests of compiled
 * engines. Flags are those of vitest. The engine is not optimized, so that it is compiled in a minute; `--optimization` of
 * engines in use is -O2.
 */
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { root } from '../root.mjs';

const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
const addons = process.env.BIGTRACE_ENGINE_ADDONS || join(cache, 'bigtrace/engines');

const compile = ['cli/bigtrace.mjs', 'engine', 'compile', 'bundled', '--optimization', '-O0'];
const tests = ['vitest', 'run', '--config', 'test/config/native.config.ts'];
const env = { ...process.env, BIGTRACE_ENGINE_RUNTIME: 'native', BIGTRACE_ENGINE_ADDONS: addons };

process.exitCode =
  run(process.execPath, [...compile, '--out', addons]) ||
  run('npx', [...tests, ...process.argv.slice(2)]);

function run(program, args) {
  return spawnSync(program, args, { cwd: root, stdio: 'inherit', env }).status ?? 1;
}
