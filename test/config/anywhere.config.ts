/** Vitest configuration of the test that runs `npm test` and `npm start` in a fresh clone as an ordinary user. */
import { defineConfig } from 'vitest/config';
import { POLLING } from './polling.ts';

export const ANYWHERE_TEST = 'test/e2e/checkout/anywhere.ci-test.ts';

export default defineConfig({
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs'],
    include: [ANYWHERE_TEST],
    expect: POLLING,
    testTimeout: 1_200_000,
    hookTimeout: 600_000,
  },
});
