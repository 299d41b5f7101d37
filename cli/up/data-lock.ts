/** Ensures that only one `bigtrace up` uses a data directory: two would write the same tables. */
import { closeSync, ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import { lockFile } from './file-lock.ts';

export interface DataLock {
  /** Whether the last owner died without releasing the lock. Its child processes may still be ending. */
  wasStale: boolean;
  release(): void;
}

const PID = /^\d{1,10}$/;

/** @throws invalid_option if another `bigtrace up` uses the directory */
export function acquireDataLock(dataDir: string): DataLock {
  const path = join(dataDir, 'up.lock');
  const fd = lockFile(path);
  const before = readFileSync(path, 'utf8'); // for messages only; the kernel decides who holds the lock
  if (fd === undefined)
    throw new BigtraceError(
      'invalid_option',
      `--data-dir ${dataDir} is in use by another bigtrace up (pid ${PID.exec(before) ?? 'unknown'})`,
    );
  let locked = true;
  const release = (): void => {
    if (!locked) return;
    locked = false;
    ftruncateSync(fd);
    closeSync(fd);
  };
  ftruncateSync(fd);
  writePid(fd);
  return { wasStale: before !== '', release };
}

function writePid(fd: number): void {
  try {
    writeSync(fd, String(process.pid));
  } catch {
    // The disk is full. The lock is effective without the process ID.
  }
}
