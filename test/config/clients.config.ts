/** Vitest configuration of the matrix of clients, which installs them from their registries. */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';
import { POLLING } from './polling.ts';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs'],
    include: ['**/*.client-test.ts'],
    exclude: ['node_modules/**', 'dist/**', 'vendor/**', 'data/**'],
    expect: POLLING,
    testTimeout: 120_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
