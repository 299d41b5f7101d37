/** Tests of what is deployed: they need Docker (test:containers), or kubectl or Go, and Python (test:k8s). */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: ['test/e2e/**/*.deploy-test.ts'],
    testTimeout: 300_000,
    // It drives other people's programs, which may fail once; tools/test-run/test-counts.mjs lists what did.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    hookTimeout: 1_800_000,
    fileParallelism: false,
  },
});
