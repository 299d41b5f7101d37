/**
 * The digests of engines: those known to this program, and those of the lock file, which records every engine at its
 * first installation. A version whose files differ from either is refused.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import { enginesDirectory } from '../../lib/engine/engine-choice.ts';

/** SHA-256 by name of the file, hex. */
export type Digests = Record<string, string>;

const KNOWN: Record<string, Digests> = {
  'v52.0-6b9586def': {
    'trace_processor.wasm': 'aefaeb0edf102aef1408554ed203ab156266c8f3229e331bd909738fde830c6d',
    'trace_processor_memory64.wasm':
      '9600466dacddfc15f65bca6c6df2d8d697b3d77c863b0c543e1dda69255bede1',
  },
};

export function lockFile(dataDir: string): string {
  return join(enginesDirectory(dataDir), 'lock.json');
}

/**
 * Checks the digests of a version, and records those that were unknown.
 * @returns 'pinned' if this program knows the version, 'locked' if the lock file does, 'new' otherwise
 * @throws BigtraceError invalid_option: a file differs
 */
export function settleDigests(
  dataDir: string,
  version: string,
  digests: Digests,
): 'pinned' | 'locked' | 'new' {
  const locked = readLock(dataDir);
  const pinned = KNOWN[version];
  const expected = { ...locked[version], ...pinned };
  for (const [name, digest] of Object.entries(digests))
    if (expected[name] !== undefined && expected[name] !== digest) {
      const where = pinned?.[name] === undefined ? lockFile(dataDir) : 'this program';
      throw new BigtraceError(
        'invalid_option',
        `${name} of ${version} has the SHA-256 ${digest}, but ${where} says ${expected[name]}: it is not installed`,
      );
    }
  const isNew = Object.keys(digests).some((name) => expected[name] === undefined);
  if (isNew) writeLock(dataDir, { ...locked, [version]: { ...locked[version], ...digests } });
  if (isNew) return 'new';
  return pinned === undefined ? 'locked' : 'pinned';
}

function readLock(dataDir: string): Record<string, Digests> {
  const file = lockFile(dataDir);
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Digests>;
  } catch (cause) {
    throw new BigtraceError('invalid_option', `${file} is damaged: restore it, or remove it`, {
      cause,
    });
  }
}

/** Replaces the file in one step, so that no process sees a part of it. */
function writeLock(dataDir: string, lock: Record<string, Digests>): void {
  const file = lockFile(dataDir);
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(lock, null, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
}
