/** Vitest configuration of the tests of engines with 64-bit memory, which need Node 24 (`npm run test:memory64`). */
import { defineConfig } from 'vitest/config';
import { viteWat } from '../../tools/build/wat.mjs';
import { POLLING } from './polling.ts';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: ['**/*.memory64-test.ts'],
    exclude: ['node_modules/**', 'vendor/**'],
    expect: POLLING,
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
