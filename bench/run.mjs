/** `npm run bench`: builds what is missing, bundles the benches, and runs them. */
import { spawnSync } from 'node:child_process';
import { bundleModule } from '../tools/build/build.mjs';
import { prepareOrExit } from '../tools/build/prepare.mjs';
import { root } from '../tools/root.mjs';

await prepareOrExit();
const program = await bundleModule('bench/main.ts', 'bench.js');
await bundleModule('bench/runtimes/child.ts', 'bench-runtime.js');
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
