/**
 * Bindings for the kernel's Landlock (linux/landlock.h, landlock(7)). Once applied, this process and its children have
 * only the rights that the rules grant, out of all rights that the running kernel can restrict.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { prctl, syscall } from './libc.ts';

// System call numbers, the same on all architectures.
const CREATE_RULESET = 444;
const ADD_RULE = 445;
const RESTRICT_SELF = 446;

const ASK_VERSION = 1;
const PATH_BENEATH = 1;
const NET_PORT = 2;
const PR_SET_NO_NEW_PRIVS = 38;

/** Rights on files, named as in linux/landlock.h. */
export const FILE_RIGHT = {
  EXECUTE: 1n << 0n,
  WRITE_FILE: 1n << 1n,
  READ_FILE: 1n << 2n,
  READ_DIR: 1n << 3n,
  REMOVE_DIR: 1n << 4n,
  REMOVE_FILE: 1n << 5n,
  MAKE_CHAR: 1n << 6n,
  MAKE_DIR: 1n << 7n,
  MAKE_REG: 1n << 8n,
  MAKE_SOCK: 1n << 9n,
  MAKE_FIFO: 1n << 10n,
  MAKE_BLOCK: 1n << 11n,
  MAKE_SYM: 1n << 12n,
  REFER: 1n << 13n,
  TRUNCATE: 1n << 14n,
  IOCTL_DEV: 1n << 15n,
} as const;

/** Rights that a rule for a path other than a directory may grant. */
const ON_FILES =
  FILE_RIGHT.EXECUTE |
  FILE_RIGHT.WRITE_FILE |
  FILE_RIGHT.READ_FILE |
  FILE_RIGHT.TRUNCATE |
  FILE_RIGHT.IOCTL_DEV;

const BIND_TCP = 1n << 0n;
const SCOPE_ABSTRACT_UNIX_SOCKETS = 1n << 0n;
const SCOPE_SIGNALS = 1n << 1n;

/** Linux 5.19, the first version with REFER. Without it, moving files between directories could not be allowed. */
const VERSION_MIN = 2;

/** Rights that the kernel restricts, depending on its Landlock version. */
export interface Handled {
  files: bigint;
  network: bigint;
  /** Signals to processes outside, and their abstract sockets. */
  scoped: bigint;
}

/** @returns undefined if the version lacks a required right */
function handledBy(version: number): Handled | undefined {
  if (version < VERSION_MIN) return undefined;
  let files = (1n << 14n) - 1n;
  if (version >= 3) files |= FILE_RIGHT.TRUNCATE;
  if (version >= 5) files |= FILE_RIGHT.IOCTL_DEV;
  return {
    files,
    // Connecting is not restricted: Landlock can restrict only ports, and queries may use any port.
    network: version >= 4 ? BIND_TCP : 0n,
    scoped: version >= 6 ? SCOPE_ABSTRACT_UNIX_SOCKETS | SCOPE_SIGNALS : 0n,
  };
}

export interface Rules {
  /** Rights on each path and everything below it. A path that does not exist is skipped. */
  paths: { path: string; rights: bigint }[];
  /** TCP ports that may be listened on. */
  ports: number[];
}

/** @returns false if the kernel does not support Landlock, or rejects the rules */
export function applyLandlock({ paths, ports }: Rules): boolean {
  const handled = handledBy(syscall(CREATE_RULESET, 0, 0, ASK_VERSION));
  if (handled === undefined) return false;
  const attributes = Buffer.alloc(24);
  attributes.writeBigUInt64LE(handled.files, 0);
  attributes.writeBigUInt64LE(handled.network, 8);
  attributes.writeBigUInt64LE(handled.scoped, 16);
  const ruleset = syscall(CREATE_RULESET, attributes, attributes.length, 0);
  if (ruleset < 0) return false;
  try {
    for (const { path, rights } of paths) allowPath(ruleset, path, rights & handled.files);
    if (handled.network !== 0n) for (const port of ports) allowPort(ruleset, port);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) !== 0) return false;
    return syscall(RESTRICT_SELF, ruleset, 0) === 0;
  } finally {
    closeSync(ruleset);
  }
}

function allowPath(ruleset: number, path: string, rights: bigint): void {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return;
  }
  const rule = Buffer.alloc(12);
  rule.writeBigUInt64LE(fstatSync(fd).isDirectory() ? rights : rights & ON_FILES);
  rule.writeInt32LE(fd, 8);
  syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0);
  // Keep entries of /proc open: the kernel may recreate an entry that nobody has open, and the rule would apply only to
  // the old one.
  if (!path.startsWith('/proc/')) closeSync(fd);
}

function allowPort(ruleset: number, port: number): void {
  const rule = Buffer.alloc(16);
  rule.writeBigUInt64LE(BIND_TCP);
  rule.writeBigUInt64LE(BigInt(port), 8);
  syscall(ADD_RULE, ruleset, NET_PORT, rule, 0);
}
