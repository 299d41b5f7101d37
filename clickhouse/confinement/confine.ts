/**
 * Narrows which files this process, and what it executes, can read, write and execute, and which processes it
 * can reach. The engine runs as clickhouse-local, which does not keep users from the machine's files as a
 * server does: its function `file()` reads every path, and `sqlite()` makes files. So the kernel has to refuse.
 */
import { applyLandlock, FILE_RIGHT } from './landlock.ts';
import { refuseSqliteFiles } from './seccomp.ts';

export interface Confinement {
  /** What it may read: files, and directories with all in them. */
  readable: string[];
  /** What it may read and execute. */
  executable: string[];
  /** Directories whose files and directories are its own. */
  writable: string[];
  /** TCP ports on which it may listen. */
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

/** Programs and libraries. */
const PROGRAMS = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/nix/store'];

/** What a process of this kind reads: the machine's state and how the system is set up. */
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
  '/proc/self/statm', // how much memory the process has, and nothing of what is in it
  '/proc/self/net', // the bridge sees there whether a client still is connected
  '/proc/meminfo',
  '/proc/cpuinfo',
  '/proc/stat',
  '/proc/loadavg',
  '/proc/uptime',
  '/proc/filesystems',
];

/** No terminal, no shared memory, no log of the kernel: reading those gives away others' data, or never ends. */
const DEVICES = [
  { path: '/dev/null', rights: FILE_RIGHT.READ_FILE | FILE_RIGHT.WRITE_FILE },
  { path: '/dev/zero', rights: FILE_RIGHT.READ_FILE },
  { path: '/dev/random', rights: FILE_RIGHT.READ_FILE },
  { path: '/dev/urandom', rights: FILE_RIGHT.READ_FILE },
];

/** bigtrace.sh lists its own open files; the files of /proc stay closed. */
const PROCESSES = { path: '/proc', rights: FILE_RIGHT.READ_DIR };

/** From here on nothing else can be reached. Returns false where the kernel does not offer it. */
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
