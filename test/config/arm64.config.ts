/** Vitest configuration of the tests on arm64, which need QEMU: test/arm64/node.sh installs it. */
import { defineConfig } from 'vitest/config';
import { POLLING } from './polling.ts';

export default defineConfig({
  test: {
    globalSetup: ['tools/test-run/temp-dir.mjs'],
    include: ['test/arm64/*.arm64-test.ts'],
    expect: POLLING,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
