/**
 * Vitest configuration that runs tests of the views again with the resident bridge, in a ClickHouse of somebody else, in
 * which only SQL was run (`npm run test:resident`). The tests of clickhouse/engine have a stand-in behind the bridge
 * (test/harness/resident), the others the whole system. The stage `ci` runs resident.ci-test.ts.
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
      'clickhouse/engine/faults.ci-test.ts',
      'test/e2e/queries/first-query.test.ts',
      'test/e2e/queries/{cancel,column-types,corpus,exact,own-sql,resident,type-aliases}.ci-test.ts',
      'test/e2e/{queries,http}/*.resident-test.ts',
      'test/e2e/operation/faults.ci-test.ts',
    ],
    exclude: ['node_modules/**', 'dist/**', 'vendor/**', 'data/**'],
    env: { BIGTRACE_VIEWS_BRIDGE: 'resident' },
    expect: POLLING,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
