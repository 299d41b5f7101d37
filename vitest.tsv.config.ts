/**
 * The tests that ask through views, once more, with views whose bridge writes TSV with an end mark instead of Native. The corpus is asked
 * through such views by `npm run baseline`.
 */
import { defineConfig } from 'vitest/config';
import { viteWat } from './tools/wat.mjs';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: [
      'clickhouse/{access,cancel,embedded,life,set-up}.test.ts',
      'clickhouse/faults.ci-test.ts',
      'e2e/{cancel,dashboard,exact,first-query}.test.ts',
      'e2e/{faults,own-sql}.ci-test.ts',
    ],
    env: { BIGTRACE_VIEWS_FORMAT: 'CustomSeparated' },
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
