/**
 * Vitest configuration of the deployment tests. `test:containers` needs Docker; `test:k8s` needs kubectl or Go, and
 * Python; `test:superset` needs Python and installs the rest (test/harness/superset-install.sh).
 */
import { defineConfig } from 'vitest/config';
import { POLLING } from './polling.ts';

export default defineConfig({
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: ['test/e2e/**/*.deploy-test.ts'],
    expect: POLLING,
    testTimeout: 300_000,
    hookTimeout: 1_800_000,
    fileParallelism: false,
  },
});
