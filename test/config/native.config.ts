/**
 * Vitest configuration of the tests of compiled engines (`npm run test:native`, which sets the runtime): those of
 * lib/engine and of cancelled tasks, and those that compare the runtimes.
 */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';
import { POLLING } from './polling.ts';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: [
      '**/*.native-test.ts',
      'lib/engine/{,script,snapshot,reading}/*.test.ts',
      'lib/engine/{isolation,expected}.ci-test.ts',
      'worker/tasks/cancel.test.ts',
    ],
    exclude: ['node_modules/**', 'vendor/**', 'dist/**', 'data/**'],
    expect: POLLING,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: '100%',
  },
});
