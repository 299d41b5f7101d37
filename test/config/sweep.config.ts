/** The sweep of ClickHouse's settings over the views. `SWEEP=whole` asks every view, in smaller groups of settings. */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';

export const SWEEP_TEST = 'clickhouse/views/settings-sweep.ci-test.ts';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: [SWEEP_TEST],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
