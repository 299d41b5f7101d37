import { expect, test } from 'vitest';
import { mergedReport } from './second-try.mjs';

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
