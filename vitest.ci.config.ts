/** Tests that need more than Node: a native client, other versions of Node, much time. */
import { defineConfig } from 'vitest/config';
import { viteWat } from './tools/wat.mjs';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: ['**/*.ci-test.ts'],
    exclude: ['node_modules/**', 'dist/**', 'vendor/**', 'data/**'],
    testTimeout: 600_000,
    // CI's machine may stand still for seconds; a fault shows twice.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
