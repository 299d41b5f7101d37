/** `npm run compare:engines`: bundles test/baseline/compare-engines.ts, and runs it in Node 24. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bundleModule } from '../../tools/build/build.mjs';
import { prepareOrExit } from '../../tools/build/prepare.mjs';
import { root } from '../../tools/root.mjs';

await prepareOrExit();
const program = await bundleModule('test/baseline/compare-engines.ts', 'compare-engines.js');
const versions = join(root, 'tools/test-run/node-version.mjs');
const node = execFileSync(process.execPath, [versions, '24'], { encoding: 'utf8' }).trim();
const { status } = spawnSync(join(node, 'node'), [program, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
