/**
 * Restricts which files this process and its children can read, write and execute, and which processes they can reach.
 * The engine runs as clickhouse-local, which does not protect the machine's files from its users as a server does: the
 * function `file()` reads any path, and `sqlite()` creates files. Therefore the kernel must deny it.
 */
import { applyLandlock, FILE_RIGHT } from './landlock.ts';
import { refuseSqliteFiles } from './seccomp.ts';

export interface Confinement {
  /** Files and directories that it may read, including everything below. */
  readable: string[];
  /** Files and directories that it may read and execute. */
  executable: string[];
  /** Directories in which it may create, change and delete files and directories. */
  writable: string[];
  /** TCP ports that it may listen on. */
  ports: number[];
}

const READ = FILE_RIGHT.READ_FILE | FILE_RIGHT.READ_DIR;
const EXECUTE = READ | FILE_RIGHT.EXECUTE;

const WRITE =
  READ |
  FILE_RIGHT.WRITE_FILE |
  FILE_RIGHT.TRUNCATE |
  FILE_RIGHT.REMOVE_DIR |
  FILE_RIGHT.REMOVE_FILE |
  FILE_RIGHT.MAKE_DIR |
  FILE_RIGHT.MAKE_REG |
  FILE_RIGHT.MAKE_SYM |
  FILE_RIGHT.REFER;

/** Directories of programs and libraries. */
const PROGRAMS = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/nix/store'];

/** What the engine reads of the system: the state of the machine and its configuration. */
const SYSTEM = [
  '/sys/fs/cgroup',
  '/sys/devices/system/cpu',
  '/sys/devices/system/node',
  '/sys/kernel/mm/transparent_hugepage',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/alternatives',
  '/etc/localtime',
  '/etc/timezone',
  '/etc/ssl',
  '/etc/pki',
  '/etc/resolv.conf',
  '/run/systemd/resolve',
  '/etc/hosts',
  '/etc/host.conf',
  '/etc/nsswitch.conf',
  '/etc/gai.conf',
  '/etc/os-release',
  '/proc/sys/vm/overcommit_memory',
  '/proc/self/statm', // the memory usage of the process, without any content
  '/proc/self/net', // the bridge checks there whether a client is still connected
  '/proc/meminfo',
  '/proc/cpuinfo',
  '/proc/stat',
  '/proc/loadavg',
  '/proc/uptime',
  '/proc/filesystems',
];

/** Excludes terminals, shared memory and the kernel log: reading them would reveal data of others, or never end. */
const DEVICES = [
  { path: '/dev/null', rights: FILE_RIGHT.READ_FILE | FILE_RIGHT.WRITE_FILE },
  { path: '/dev/zero', rights: FILE_RIGHT.READ_FILE },
  { path: '/dev/random', rights: FILE_RIGHT.READ_FILE },
  { path: '/dev/urandom', rights: FILE_RIGHT.READ_FILE },
];

/** bigtrace.sh lists its open files in /proc. The files of /proc remain inaccessible. */
const PROCESSES = { path: '/proc', rights: FILE_RIGHT.READ_DIR };

/** Restricts this process and its children for good. @returns false if the kernel does not support it */
export function confine({ readable, executable, writable, ports }: Confinement): boolean {
  const paths = [
    ...rules([...PROGRAMS, ...executable], EXECUTE),
    ...rules([...SYSTEM, ...readable], READ),
    ...rules(writable, WRITE),
    ...DEVICES,
    PROCESSES,
  ];
  return applyLandlock({ paths, ports }) && refuseSqliteFiles();
}

function rules(paths: string[], rights: bigint): { path: string; rights: bigint }[] {
  return paths.map((path) => ({ path, rights }));
}
