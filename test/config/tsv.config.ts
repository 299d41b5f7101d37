/**
 * Vitest configuration that runs the tests of views again with views whose bridge writes TSV with an end mark instead
 * of Native. `npm run baseline` queries the corpus through such views.
 */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';
import { POLLING } from './polling.ts';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: [
      'clickhouse/engine/{access,cancel,embedded}.test.ts',
      'clickhouse/engine/{life,faults}.ci-test.ts',
      'clickhouse/views/set-up.test.ts',
      'test/e2e/queries/first-query.test.ts',
      'test/e2e/queries/{cancel,exact,own-sql}.ci-test.ts',
      'test/e2e/deploy/dashboard.test.ts',
      'test/e2e/operation/faults.ci-test.ts',
    ],
    env: { BIGTRACE_VIEWS_FORMAT: 'CustomSeparated' },
    expect: POLLING,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
