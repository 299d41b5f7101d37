import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { filesToRepeat, mergedReport } from './second-try.mjs';

const A = { fullName: 'a', status: 'failed', failureMessages: ['first error'] };
const B = { fullName: 'b', status: 'passed', failureMessages: [] };

function reportOf(name: string, status: string, message: string, ...assertionResults: object[]) {
  return { testResults: [{ name, status, message, assertionResults }] };
}

test('a test that passes in the second run keeps the error of the first', () => {
  const first = reportOf('x', 'failed', '', A, B);
  first.testResults.push(...reportOf('y', 'passed', '', B).testResults);
  const second = reportOf('x', 'passed', '', { ...A, status: 'passed', failureMessages: [] }, B);
  expect(mergedReport(first, second).testResults).toEqual([
    { name: 'x', status: 'passed', message: '', assertionResults: [{ ...A, status: 'passed' }, B] },
    ...reportOf('y', 'passed', '', B).testResults,
  ]);
});

test('a test that fails twice, or only in the second run, is failed', () => {
  const failedB = { ...B, status: 'failed', failureMessages: ['second error'] };
  const second = reportOf('x', 'failed', '', A, failedB);
  expect(mergedReport(reportOf('x', 'failed', '', A, B), second).testResults[0]).toMatchObject({
    status: 'failed',
    assertionResults: [
      { ...A, failureMessages: ['first error', 'first error'] },
      { fullName: 'b', status: 'failed', failureMessages: ['second error'] },
    ],
  });
});

test('a failed test that the second run skips or does not have remains failed', () => {
  const first = reportOf('x', 'failed', '', A, B);
  const skipped = { ...A, status: 'skipped', failureMessages: [] };
  for (const second of [reportOf('x', 'passed', '', skipped, B), reportOf('x', 'passed', '', B)])
    expect(mergedReport(first, second).testResults[0]?.assertionResults).toEqual([B, A]);
});

test('the error of a failed hook is reported with the first test of the file', () => {
  const first = reportOf('x', 'failed', 'no port', {
    ...A,
    status: 'skipped',
    failureMessages: [],
  });
  const second = reportOf('x', 'passed', '', B);
  expect(mergedReport(first, second).testResults[0]?.assertionResults).toEqual([
    { ...B, failureMessages: ['the file did not load, or a hook of it failed: no port'] },
  ]);
});

test('up to three failed files are repeated, unless another file caused an error outside tests', () => {
  const files = ['w', 'x', 'y', 'z'].map((name) => reportOf(name, 'failed', '').testResults);
  const some = { testResults: files.slice(1).flat(), unhandledErrors: ['x'] };
  expect(filesToRepeat(some)).toEqual(['x', 'y', 'z']);
  expect(filesToRepeat({ ...some, unhandledErrors: ['x', 'w'] })).toEqual([]);
  expect(filesToRepeat({ ...some, unhandledErrors: [null] })).toEqual([]);
  expect(filesToRepeat({ testResults: files.flat(), unhandledErrors: [] })).toEqual([]);
});

test('the report names the file that causes an error outside tests', () => {
  const directory = mkdtempSync(join(tmpdir(), 'report-'));
  try {
    const file = join(directory, 'x.test.mjs');
    const pause = 'await new Promise((resolve) => setTimeout(resolve, 20));';
    writeFileSync(
      file,
      `test('x', async () => { void Promise.reject(new Error('y')); ${pause} });`,
    );
    const report = join(directory, 'report.json');
    const reporter = fileURLToPath(new URL('json-report.mjs', import.meta.url));
    const flags = ['--globals', `--reporter=${reporter}`, `--outputFile.json=${report}`];
    const vitest = fileURLToPath(new URL('../../node_modules/.bin/vitest', import.meta.url));
    const { status } = spawnSync(vitest, ['run', '--root', directory, ...flags]);
    const { testResults, unhandledErrors } = JSON.parse(readFileSync(report, 'utf8'));
    expect([status, testResults[0].status, unhandledErrors]).toEqual([1, 'passed', [file]]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
