/** Chooses the files for a second run, and merges vitest's JSON reports (json-report.mjs) of both runs. */

/** If more files fail, the cause is no accident, and running them again would take the time of other stages. */
const REPEATED_FILES_MAX = 3;

/**
 * Returns the files that failed, if few did; none if another file caused an error outside tests, which a second run
 * without that file would hide.
 * @param report of all files
 */
export function filesToRepeat({ testResults, unhandledErrors }) {
  const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
  const hides = unhandledErrors.some((file) => !failed.includes(file));
  return hides || failed.length > REPEATED_FILES_MAX ? [] : failed;
}

/**
 * @param first the report of all files
 * @param second the report of some of these files
 * @returns the first report, with the second run's tests of these files; each has the errors of its first run, too
 */
export function mergedReport(first, second) {
  const repeated = new Map(second.testResults.map((file) => [file.name, file]));
  return {
    ...first,
    testResults: first.testResults.map((file) => {
      const again = repeated.get(file.name);
      return again === undefined ? file : mergedFile(file, again);
    }),
  };
}

function mergedFile(file, again) {
  const errors = new Map(
    file.assertionResults.map(({ fullName, failureMessages }) => [fullName, failureMessages]),
  );
  // A file that does not load, or a hook that fails, has an error, but no failed test.
  const isWhole = file.assertionResults.every(({ status }) => status !== 'failed');
  const ofFile = isWhole ? [`the file did not load, or a hook of it failed: ${file.message}`] : [];
  const ran = again.assertionResults.filter(({ status }) => status !== 'skipped');
  const names = new Set(ran.map(({ fullName }) => fullName));
  // A failed test that the second run skips, or does not have, remains failed.
  const notRepeated = file.assertionResults.filter(
    ({ status, fullName }) => status === 'failed' && !names.has(fullName),
  );
  const repeated = again.assertionResults
    .filter(({ fullName }) => !notRepeated.some((test) => test.fullName === fullName))
    .map((test, index) => ({
      ...test,
      failureMessages: [
        ...(errors.get(test.fullName) ?? []),
        ...(index === 0 ? ofFile : []),
        ...test.failureMessages,
      ],
    }));
  return { ...again, assertionResults: [...repeated, ...notRepeated] };
}
