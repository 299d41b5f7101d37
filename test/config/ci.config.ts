/** Vitest configuration of tests that take long or need more than Node. */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';
import { ANYWHERE_TEST } from './anywhere.config.ts';
import { LOAD_TESTS } from './load.config.ts';
import { POLLING } from './polling.ts';
import { PROGRAM_TESTS } from './programs.config.ts';
import { SWEEP_TESTS } from './sweep.config.ts';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: ['**/*.ci-test.ts'],
    exclude: [
      'node_modules/**',
      'dist/**',
      'vendor/**',
      'data/**',
      ...PROGRAM_TESTS,
      ANYWHERE_TEST,
      ...LOAD_TESTS,
      ...SWEEP_TESTS,
    ],
    expect: POLLING,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: '100%', // of two cores it would use one
  },
});
