/**
 * Determines the processors and memory that this process may use: those of the machine, or less if its control group
 * (v1 or v2) or a parent group bounds them, as in a container.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

export interface Machine {
  /** Number of processors that may be busy at the same time; at least 1. */
  cores: number;
  memoryBytes: number;
}

/** @returns the text of a file; undefined if it cannot be read */
export type ReadText = (path: string) => string | undefined;

export function thisMachine(): Machine {
  const whole = { cores: availableParallelism(), memoryBytes: totalmem() };
  return process.platform === 'linux' ? withinGroups(whole, readText) : whole;
}

/** Returns `machine`, reduced to the bounds of this process's control groups. */
export function withinGroups(machine: Machine, read: ReadText): Machine {
  let { cores, memoryBytes } = machine;
  for (const { version, controllers, directories } of groupsOf(read)) {
    for (const directory of directories) {
      if (version === 2 || controllers.includes('memory'))
        memoryBytes = Math.min(memoryBytes, memoryBound(version, directory, read));
      if (version === 2 || controllers.includes('cpu'))
        cores = Math.min(cores, cpuBound(version, directory, read));
    }
  }
  return { cores: Math.max(1, cores), memoryBytes };
}

interface Group {
  version: 1 | 2;
  controllers: string[];
  /** Directories of the group and of its parents, up to the mounted one. */
  directories: string[];
}

function groupsOf(read: ReadText): Group[] {
  const mounts = mountsOf(read('/proc/self/mountinfo') ?? '');
  const groups: Group[] = [];
  // Lines such as "4:memory:/user.slice" (v1) or "0::/user.slice" (v2).
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (names === undefined || path === undefined) continue;
    const version = names === '' ? 2 : 1;
    const controllers = names.split(',');
    const mount = mounts.find((one) =>
      version === 2
        ? one.type === 'cgroup2'
        : one.type === 'cgroup' && controllers.some((name) => one.options.includes(name)),
    );
    if (mount !== undefined)
      groups.push({ version, controllers, directories: directoriesOf(mount, path) });
  }
  return groups;
}

interface Mount {
  type: string;
  /** The group that is mounted at `point`; in a container often the container's own. */
  root: string;
  point: string;
  options: string[];
}

/** Parses lines such as `36 35 0:31 /root /mount/point rw,nosuid shared:9 - cgroup cgroup rw,memory`. */
function mountsOf(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, point] = before.split(' ');
    const [type, , options] = after.split(' ');
    if (root === undefined || point === undefined || !type?.startsWith('cgroup')) continue;
    mounts.push({ type, root, point, options: options?.split(',') ?? [] });
  }
  return mounts;
}

/** If the group is outside the mount (a container without its own namespace), the mounted group applies instead. */
function directoriesOf({ root, point }: Mount, path: string): string[] {
  const prefix = root === '/' ? '' : root;
  const inside = path === prefix || path.startsWith(`${prefix}/`);
  const names = inside ? path.slice(prefix.length).split('/').filter(Boolean) : [];
  if (names.includes('..')) return [point]; // the process was moved out of its namespace
  const parents = names.map((_, at) => `${point}/${names.slice(0, at + 1).join('/')}`);
  return [point, ...parents];
}

/** Bytes; Infinity without a bound. Without a bound, version 1 has a huge number. */
function memoryBound(version: 1 | 2, directory: string, read: ReadText): number {
  const text = read(`${directory}/${version === 2 ? 'memory.max' : 'memory.limit_in_bytes'}`);
  return boundOf(text?.trim());
}

function cpuBound(version: 1 | 2, directory: string, read: ReadText): number {
  const [quota, period] =
    version === 2
      ? (read(`${directory}/cpu.max`)?.trim().split(' ') ?? [])
      : ['quota', 'period'].map((name) => read(`${directory}/cpu.cfs_${name}_us`)?.trim());
  return Math.ceil(boundOf(quota) / boundOf(period ?? '100000'));
}

function boundOf(text: string | undefined): number {
  const bound = Number(text);
  return text !== undefined && bound > 0 ? bound : Number.POSITIVE_INFINITY;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
