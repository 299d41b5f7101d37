/**
 * Vitest configuration of the tests that try many ClickHouse settings. `SWEEP=whole` queries every
 * view, with smaller groups of settings.
 */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';
import { POLLING } from './polling.ts';

export const SWEEP_TESTS = [
  'clickhouse/views/settings-sweep.ci-test.ts',
  'test/sweep/*.ci-test.ts',
];

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: SWEEP_TESTS,
    expect: POLLING,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
