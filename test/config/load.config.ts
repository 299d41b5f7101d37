/** Vitest configuration of tests that compare memory and times of a system under load, so that nothing may run beside them. */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';
import { POLLING } from './polling.ts';

export const LOAD_TESTS = [
  'test/e2e/operation/load.ci-test.ts',
  'test/e2e/operation/memory.ci-test.ts',
];

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: LOAD_TESTS,
    expect: POLLING,
    testTimeout: 600_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
