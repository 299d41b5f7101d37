/**
 * Prints from vitest's JSON reports which tests failed, passed only when retried, or were skipped, and as the last
 * line `N passed, N failed, N skipped`. Reports without a passed test are a failure.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** The output is limited, because only the end of a log is kept. */
const SHOWN_MAX = 40;
const LINES_MAX = 12;
const LINE_CHARACTERS_MAX = 200;

const reports = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')));
const files = reports.flatMap(({ testResults }) => testResults);
const tests = files.flatMap(({ name, assertionResults }) =>
  assertionResults.map((test) => ({ ...test, file: name })),
);
const passed = tests.filter(({ status }) => status === 'passed');
const failed = [
  ...tests.filter(({ status }) => status === 'failed'),
  ...files.filter(failsAsAWhole).map(({ name, message }) => ({
    file: name,
    fullName: 'the file does not load, or a hook of it fails',
    failureMessages: [message],
  })),
];

show('failed', failed);
// The errors of a passed test are those of its first attempt.
show(
  'needed a second try',
  passed.filter(({ failureMessages }) => failureMessages.length > 0),
);
const skipped = tests.filter(({ status }) => !['passed', 'failed'].includes(status));
show(
  'skipped',
  skipped.map((test) => ({ ...test, failureMessages: [] })),
);
console.log(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);
process.exitCode = failed.length === 0 && (passed.length > 0 || reports.length === 0) ? 0 : 1;

/** Whether the file failed although none of its tests did: it does not load, or a hook failed. */
function failsAsAWhole({ status, assertionResults }) {
  return status === 'failed' && assertionResults.every((test) => test.status !== 'failed');
}

function show(what, chosen) {
  for (const { file, fullName, failureMessages } of chosen.slice(0, SHOWN_MAX)) {
    console.log(`== ${what}: ${relative('', file)}: ${fullName}`);
    for (const line of firstLines(failureMessages)) console.log(`   ${line}`);
  }
  if (chosen.length > SHOWN_MAX) console.log(`== ${what}: ${chosen.length - SHOWN_MAX} more`);
}

function firstLines(messages) {
  return stripVTControlCharacters(messages.join('\n'))
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('/node_modules/'))
    .slice(0, LINES_MAX)
    .map((line) => line.slice(0, LINE_CHARACTERS_MAX));
}
