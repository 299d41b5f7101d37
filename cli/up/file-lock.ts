/**
 * A lock on a file that the kernel owns (flock(2)): it is gone when the process that holds it is gone, however that
 * ended, and whatever the file says.
 */
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { DataType, load, open } from 'ffi-rs';
import { BigtraceError } from '../../lib/common/errors.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * The descriptor of `path`, with which the lock is held until the descriptor is closed; undefined when another
 * process holds the lock. Children do not inherit it.
 * @throws invalid_option when the file cannot be opened, or its file system has no locks
 */
export function lockFile(path: string): number | undefined {
  const fd = opened(path);
  open({ library: 'libc', path: 'libc.so.6' });
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
