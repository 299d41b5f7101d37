/** Vitest configuration of tests that run third-party programs: a browser, ClickHouse's native client. */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';
import { POLLING } from './polling.ts';

export const PROGRAM_TESTS = [
  'clickhouse/engine/native.ci-test.ts',
  'test/e2e/http/console.ci-test.ts',
  'test/e2e/http/perfetto-ui.ci-test.ts',
];

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: PROGRAM_TESTS,
    expect: POLLING,
    testTimeout: 600_000,
    hookTimeout: 600_000, // the first run downloads the Perfetto UI
    fileParallelism: false,
  },
});
