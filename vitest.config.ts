import { defineConfig } from 'vitest/config';
import { POLLING } from './test/config/polling.ts';
import { viteWat } from './tools/build/wat.mjs';

export default defineConfig({
  plugins: [viteWat],
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs', 'test/corpus/assemble.ts'],
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', 'vendor/**', 'data/**'],
    maxWorkers: '100%', // of two cores it would use one
    expect: POLLING,
    testTimeout: 180_000, // it ends a test that hangs, and judges no speed
    hookTimeout: 180_000,
  },
});
