/**
 * Vitest's global set-up: a run's temporary files are in one directory, which is removed with all that is
 * left in it, by tests and by the processes that they start and kill.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function setUp() {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-tests-'));
  process.env.TMPDIR = directory;
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
