/**
 * Vitest's global setup: creates one directory for all temporary files of a run, and removes it afterwards with
 * everything that tests and killed processes left in it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function setUp() {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-tests-'));
  process.env.TMPDIR = directory;
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
