/** Vitest configuration of the test that runs `npm test` and `npm start` in a fresh clone as an ordinary user. */
import { defineConfig } from 'vitest/config';

export const ANYWHERE_TEST = 'test/e2e/checkout/anywhere.ci-test.ts';

export default defineConfig({
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs'],
    include: [ANYWHERE_TEST],
    testTimeout: 1_200_000,
    hookTimeout: 600_000,
  },
});
