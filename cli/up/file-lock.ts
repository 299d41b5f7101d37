/**
 * A file lock held in the kernel (flock(2)). The kernel releases it when the process ends for any reason; the content
 * of the file does not matter.
 */
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { DataType, load, open } from 'ffi-rs';
import { BigtraceError } from '../../lib/common/errors.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;

const LIBC = process.platform === 'darwin' ? '/usr/lib/libSystem.B.dylib' : 'libc.so.6';

/**
 * Locks `path` and returns its descriptor; undefined if another process holds the lock. Closing the descriptor releases
 * the lock. Child processes do not inherit it.
 * @throws invalid_option if the file cannot be opened, or its file system does not support locks
 */
export function lockFile(path: string): number | undefined {
  const fd = opened(path);
  open({ library: 'libc', path: LIBC });
  const { value, errnoCode, errnoMessage } = load({
    library: 'libc',
    funcName: 'flock',
    retType: DataType.I32,
    paramsType: [DataType.I32, DataType.I32],
    paramsValue: [fd, LOCK_EX | LOCK_NB],
    errno: true as const,
  });
  if (value === 0) return fd;
  closeSync(fd);
  if (errnoCode === constants.errno.EWOULDBLOCK) return undefined;
  throw new BigtraceError('invalid_option', `${path} cannot be locked: ${errnoMessage}`);
}

function opened(path: string): number {
  try {
    return openSync(path, 'a+', 0o600);
  } catch (cause) {
    throw new BigtraceError('invalid_option', (cause as Error).message, { cause });
  }
}
