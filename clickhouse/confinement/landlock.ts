/**
 * The kernel's Landlock (linux/landlock.h, landlock(7)): from the moment it is applied, this process and what it
 * executes have only the rights that rules give them, of all rights that the running kernel knows.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { prctl, syscall } from './libc.ts';

// The same on every architecture.
const CREATE_RULESET = 444;
const ADD_RULE = 445;
const RESTRICT_SELF = 446;

const ASK_VERSION = 1;
const PATH_BENEATH = 1;
const NET_PORT = 2;
const PR_SET_NO_NEW_PRIVS = 38;

/** On files, by their names in linux/landlock.h. */
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

/** What a rule on a path that is no directory may give. */
const ON_FILES =
  FILE_RIGHT.EXECUTE |
  FILE_RIGHT.WRITE_FILE |
  FILE_RIGHT.READ_FILE |
  FILE_RIGHT.TRUNCATE |
  FILE_RIGHT.IOCTL_DEV;

const BIND_TCP = 1n << 0n;
const SCOPE_ABSTRACT_UNIX_SOCKETS = 1n << 0n;
const SCOPE_SIGNALS = 1n << 1n;

/** With REFER; before it, moving files between directories could not be allowed: Linux 5.19. */
const VERSION_MIN = 2;

/** What the kernel takes away, by the version of its Landlock. */
export interface Handled {
  files: bigint;
  network: bigint;
  /** Signals and abstract sockets of processes outside. */
  scoped: bigint;
}

/** Undefined where it lacks what cannot be done without. */
export function handledBy(version: number): Handled | undefined {
  if (version < VERSION_MIN) return undefined;
  let files = (1n << 14n) - 1n;
  if (version >= 3) files |= FILE_RIGHT.TRUNCATE;
  if (version >= 5) files |= FILE_RIGHT.IOCTL_DEV;
  return {
    files,
    // Connections are not narrowed: only ports could be, and a question may go to any.
    network: version >= 4 ? BIND_TCP : 0n,
    scoped: version >= 6 ? SCOPE_ABSTRACT_UNIX_SOCKETS | SCOPE_SIGNALS : 0n,
  };
}

export interface Rules {
  /** Rights on each path and what is below it. A path that is not there needs no rule. */
  paths: { path: string; rights: bigint }[];
  /** TCP ports on which it may listen. */
  ports: number[];
}

/** Returns false where the kernel does not offer it, or refuses. */
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
  // An entry of /proc that nobody has open may be made anew, and the rule is for the old one.
  if (!path.startsWith('/proc/')) closeSync(fd);
}

function allowPort(ruleset: number, port: number): void {
  const rule = Buffer.alloc(16);
  rule.writeBigUInt64LE(BIND_TCP);
  rule.writeBigUInt64LE(BigInt(port), 8);
  syscall(ADD_RULE, ruleset, NET_PORT, rule, 0);
}
