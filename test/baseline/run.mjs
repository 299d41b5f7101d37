/** `npm run baseline`: builds what is missing, bundles test/baseline/main.ts, and runs it. */
import { spawnSync } from 'node:child_process';
import { bundleModule } from '../../tools/build/build.mjs';
import { prepareOrExit } from '../../tools/build/prepare.mjs';
import { root } from '../../tools/root.mjs';

await prepareOrExit();
const program = await bundleModule('test/baseline/main.ts', 'baseline.js');
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
