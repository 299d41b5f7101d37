/** Tests that drive other people's programs: a browser, ClickHouse's native client. */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';

export const PROGRAM_TESTS = [
  'clickhouse/engine/native.ci-test.ts',
  'test/e2e/http/console.ci-test.ts',
];

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: PROGRAM_TESTS,
    testTimeout: 120_000,
    // It drives other people's programs, which may fail once; tools/test-run/test-counts.mjs lists what did.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
