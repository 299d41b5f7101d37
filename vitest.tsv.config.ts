/** The tests that ask through views, once more, with views whose bridge writes TSV instead of Native. */
import { defineConfig } from 'vitest/config';
import { viteWat } from './tools/wat.mjs';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: [
      ...['access', 'cancel', 'embedded', 'faults', 'life', 'set-up'].map(
        (name) => `clickhouse/${name}.test.ts`,
      ),
      ...['cancel', 'dashboard', 'exact', 'first-query'].map((name) => `e2e/${name}.test.ts`),
      ...['corpus', 'own-sql', 'catalog', 'faults'].map((name) => `e2e/${name}.ci-test.ts`),
      'bridge/**/*.test.ts',
    ],
    env: { BIGTRACE_VIEWS_FORMAT: 'TSV' },
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
