/** Tests that need much time, or more than Node. None is tried twice. */
import { defineConfig } from 'vitest/config';
import { viteWat } from './tools/wat.mjs';
import { ANYWHERE_TEST } from './vitest.anywhere.config.ts';
import { PROGRAM_TESTS } from './vitest.programs.config.ts';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: ['**/*.ci-test.ts'],
    exclude: [
      'node_modules/**',
      'dist/**',
      'vendor/**',
      'data/**',
      ...PROGRAM_TESTS,
      ANYWHERE_TEST,
    ],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
