/** Vitest configuration of tests with real store servers, which its setup installs: `npm run test:stores`. */
import { defineConfig } from 'vitest/config';
import { POLLING } from './polling.ts';

export default defineConfig({
  test: {
    include: [
      'lib/trace-store/**/*.server-test.ts',
      'test/e2e/**/*.server-test.ts',
      'worker/**/*.server-test.ts',
    ],
    globalSetup: [
      'tools/test-run/temp-dir.mjs',
      'test/corpus/assemble.ts',
      'lib/trace-store/testing/install-servers.ts',
    ],
    expect: POLLING,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
