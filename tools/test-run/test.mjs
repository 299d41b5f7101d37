/**
 * `npm test`: installs, downloads and builds what is missing, then runs every check that needs only Node.
 * `npm run test:ci` runs the tests that take long.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepareOrExit } from '../build/prepare.mjs';
import { root } from '../root.mjs';

const REPORTERS = ['--reporter=default', '--reporter=json'];

const CHECKS = [
  ['types', 'tsc', ['--noEmit']],
  ['types of the console', 'tsc', ['--noEmit', '--project', 'console']],
  ['lint', 'biome', ['check', '.']],
  ['tidy', process.execPath, ['tools/tidy.mjs']],
  ['notices', process.execPath, ['tools/checks/notices.mjs', '--check']],
  ['tests', 'vitest', ['run', ...REPORTERS, '--outputFile.json=test-results/tests.json']],
];

await prepareOrExit();
const failed = CHECKS.filter((check) => !passes(check)).map(([name]) => name);
console.log(failed.length === 0 ? '\nall checks passed' : `\nfailed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Runs a check and returns whether it passed. */
function passes([name, command, args]) {
  console.log(`\n— ${name}`);
  const path = command === process.execPath ? command : join(root, 'node_modules/.bin', command);
  const started = performance.now();
  const { status, error } = spawnSync(path, args, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) console.error(error.message);
  console.log(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return status === 0;
}
