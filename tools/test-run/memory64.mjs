/** `npm run test:memory64`: the tests of engines with 64-bit memory, under Node 24. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../root.mjs';

const program = join(root, 'tools/test-run/node-version.mjs');
const node = execFileSync(process.execPath, [program, '24'], { encoding: 'utf8' }).trim();
const { status } = spawnSync(
  'npx',
  ['vitest', 'run', '--config', 'test/config/memory64.config.ts', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: `${node}:${process.env.PATH}` } },
);
process.exitCode = status ?? 1;
