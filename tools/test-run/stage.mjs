/**
 * Runs the tests of a stage: `stage.mjs NAME CONFIG [ARGUMENT…]` runs vitest with test/config/CONFIG.config.ts and writes
 * test-results/NAME.json. Arguments go to vitest.
 *
 * These tests run third-party programs (ClickHouse, a browser, stores), which may fail once. So in the gate (CI=true), if
 * few files fail, each is run once more as a whole. The report then has the tests of the second run with the errors of the
 * first one, and test-counts.mjs lists them.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from '../root.mjs';
import { filesToRepeat, mergedReport } from './second-try.mjs';

const [name, config, ...args] = process.argv.slice(2);
const jsonReport = join(root, 'tools/test-run/json-report.mjs');
const reportPath = join(root, 'test-results', `${name}.json`);
rmSync(reportPath, { force: true });
process.exitCode = runVitest(args, reportPath);
if (process.exitCode !== 0 && process.env.CI === 'true') repeatFailed();

function runVitest(more, report) {
  const flags = ['--reporter=default', `--reporter=${jsonReport}`, `--outputFile.json=${report}`];
  const vitest = join(root, 'node_modules/.bin/vitest');
  const configFile = `test/config/${config}.config.ts`;
  const { status } = spawnSync(vitest, ['run', '--config', configFile, ...more, ...flags], {
    cwd: root,
    stdio: 'inherit',
  });
  return status ?? 1;
}

function repeatFailed() {
  const first = readReport(reportPath);
  const files = (first === undefined ? [] : filesToRepeat(first)).map((file) =>
    relative(root, file),
  );
  if (files.length === 0) return;
  console.log(`== second try of ${files.join(', ')}`);
  const secondPath = join(root, 'test-results', `${name}.second`);
  process.exitCode = runVitest(files, secondPath);
  const second = readReport(secondPath);
  if (second === undefined) return;
  writeFileSync(reportPath, JSON.stringify(mergedReport(first, second)));
  rmSync(secondPath);
}

/** Returns undefined if vitest wrote no report. */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
