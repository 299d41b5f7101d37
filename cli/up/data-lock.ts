/** One `bigtrace up` a data directory: two would write the same tables. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BigtraceError } from '../../common/errors.ts';

export interface DataLock {
  /** Whether its last owner ended without releasing it; its processes may be about to end. */
  wasStale: boolean;
  release(): void;
}

interface Owner {
  pid: number;
  /** Pids are used again; with its start time a process is itself. */
  started: string;
}

/** @throws invalid_option where another `up` runs on the directory. */
export function acquireDataLock(dataDir: string): DataLock {
  const path = join(dataDir, 'up.lock');
  const mine: Owner = { pid: process.pid, started: startOf(process.pid) ?? '' };
  const held = (): BigtraceError =>
    new BigtraceError(
      'invalid_option',
      `--data-dir ${dataDir} is in use by another bigtrace up (pid ${read(path)?.pid ?? 'unknown'})`,
    );
  const release = (): void => {
    if (read(path)?.pid === mine.pid) rmSync(path, { force: true });
  };
  if (create(path, mine)) return { wasStale: false, release };
  const owner = read(path);
  if (owner !== undefined && startOf(owner.pid) === owner.started) throw held();
  // Of several that find it stale, the one that can move it away makes the new one.
  const stale = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, stale);
  } catch {
    throw held();
  }
  rmSync(stale, { force: true });
  if (!create(path, mine)) throw held();
  return { wasStale: true, release };
}

function create(path: string, owner: Owner): boolean {
  try {
    writeFileSync(path, JSON.stringify(owner), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch {
    return undefined; // gone, or its owner died while writing it
  }
}

/** Field 22 of /proc/PID/stat, counted after the name, which may hold anything. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
