/**
 * vitest's JSON report with `unhandledErrors`: for each error outside tests, the file that caused it, or null. Such an
 * error fails the run, but no test and no file of the report.
 */
import { JsonReporter } from 'vitest/node';

export default class JsonReport extends JsonReporter {
  #unhandledErrors = [];

  constructor() {
    super({});
  }

  onTestRunEnd(modules, errors) {
    this.#unhandledErrors = errors.map(({ VITEST_TEST_PATH: path }) => path ?? null);
    return super.onTestRunEnd(modules);
  }

  writeReport(report) {
    const unhandledErrors = this.#unhandledErrors;
    return super.writeReport(JSON.stringify({ ...JSON.parse(report), unhandledErrors }));
  }
}
