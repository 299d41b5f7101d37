/**
 * Narrows which files this process, and what it executes, can read and write. The engine runs as
 * clickhouse-local, which does not keep users from the machine's files as a server does: its function
 * `file()` reads every path, and `sqlite()` makes files. So the kernel has to refuse (Landlock:
 * linux/landlock.h, landlock(7)).
 */
import { closeSync, openSync } from 'node:fs';
import { DataType, load } from 'ffi-rs';

// The same on every architecture.
const CREATE_RULESET = 444;
const ADD_RULE = 445;
const RESTRICT_SELF = 446;

const ASK_VERSION = 1;
const PATH_BENEATH = 1;
const READ_FILE = 1n << 2n;
const WRITE = (1n << 1n) | (1n << 8n); // WRITE_FILE, MAKE_REG
/** Moving files between directories: refused in every ruleset that does not allow it. */
const REFER = 1n << 13n;
/** The first version that knows REFER: Linux 5.19. */
const VERSION_MIN = 2;

const PR_SET_NO_NEW_PRIVS = 38;

/** What a process of this kind reads: programs and libraries, devices, the machine's and its own state. */
const SYSTEM_PATHS = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib64',
  '/dev',
  '/sys',
  '/nix/store',
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
  '/proc/self',
  '/proc/sys',
  '/proc/meminfo',
  '/proc/cpuinfo',
  '/proc/stat',
  '/proc/loadavg',
  '/proc/uptime',
  '/proc/mounts',
  '/proc/filesystems',
  '/proc/diskstats',
  '/proc/net',
];

const SYSTEM_PATHS_WRITTEN = ['/dev', '/proc/self'];

/**
 * From here on only files below `readable` and `writable`, and the system's own, can be opened. `libc`
 * must have been opened. Returns false where the kernel does not offer it.
 */
export function confineFiles(readable: string[], writable: string[]): boolean {
  if (syscall(CREATE_RULESET, 0, 0, ASK_VERSION) < VERSION_MIN) return false;
  const handled = Buffer.alloc(8);
  handled.writeBigUInt64LE(READ_FILE | WRITE | REFER);
  const ruleset = syscall(CREATE_RULESET, handled, handled.length, 0);
  if (ruleset < 0) return false;
  allow(ruleset, '/', REFER);
  for (const path of [...SYSTEM_PATHS, ...readable, ...writable]) allow(ruleset, path, READ_FILE);
  for (const path of [...SYSTEM_PATHS_WRITTEN, ...writable]) allow(ruleset, path, WRITE);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); // it is refused unless the last three are 0
  const done = syscall(RESTRICT_SELF, ruleset, 0) === 0;
  closeSync(ruleset);
  return done;
}

/** A path that is not there needs no rule. */
function allow(ruleset: number, path: string, access: bigint): void {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return;
  }
  const rule = Buffer.alloc(12);
  rule.writeBigUInt64LE(access);
  rule.writeInt32LE(fd, 8);
  syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0);
  closeSync(fd);
}

function syscall(...values: (number | Buffer)[]): number {
  return callLibc('syscall', values);
}

export function prctl(...values: number[]): number {
  return callLibc('prctl', values);
}

function callLibc(funcName: string, values: (number | Buffer)[]): number {
  return load({
    library: 'libc',
    funcName,
    retType: DataType.I32,
    paramsType: values.map((value) =>
      typeof value === 'number' ? DataType.I64 : DataType.U8Array,
    ),
    paramsValue: values,
  });
}
