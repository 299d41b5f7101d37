/**
 * Vitest configuration of the tests with ZooKeeper (`npm run test:keeper`), which need Debian and a Java runtime. No stage
 * of the gate runs them: they take minutes.
 */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';
import { POLLING } from './polling.ts';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: ['test/e2e/catalog/*.keeper-test.ts'],
    expect: POLLING,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
