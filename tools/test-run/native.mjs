/**
 * `npm run test:native`: compiles the engine as it is used, unless that was done on this machine before, and runs the
 * tests of compiled engines. Flags are those of vitest.
 */
import { spawnSync } from 'node:child_process';
import { root } from '../root.mjs';
import { ADDONS, compileNative } from './native-engine.mjs';

const tests = ['vitest', 'run', '--config', 'test/config/native.config.ts'];
const env = { ...process.env, BIGTRACE_ENGINE_RUNTIME: 'native', BIGTRACE_ENGINE_ADDONS: ADDONS };

process.exitCode =
  compileNative() ||
  (spawnSync('npx', [...tests, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit', env })
    .status ??
    1);
