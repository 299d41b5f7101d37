/**
 * A system call filter that prevents SQLite from creating files. ClickHouse opens the file of sqlite() before it checks
 * the user's privileges, and opening creates an empty file anywhere the engine may write, for example among the files
 * that it reads at its next start.
 */
import { addressOf, prctl } from './libc.ts';

const PR_SET_SECCOMP = 22;
const MODE_FILTER = 2;

const ARCH_X86_64 = 0xc000003e;
const OPEN = 2;
const OPENAT = 257;

const O_ACCMODE_AND_CREAT = 0o103;
const O_RDWR_AND_CREAT = 0o102;
/** File mode that SQLite creates files with. ClickHouse uses 0666 or 0640. */
const MODE = 0o644;

const ALLOW = 0x7fff0000;
const EACCES = 0x00050000 | 13;

// linux/filter.h
const LOAD = 0x20;
const AND = 0x54;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;

/** Offsets in struct seccomp_data; for an argument, of its lower half (little endian). */
const NUMBER_AT = 0;
const ARCH_AT = 4;
const argumentAt = (index: number): number => 16 + 8 * index;

type Instruction = [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * Instructions that jump to `toRefuse` if the flags argument and the mode argument after it are those of SQLite, and
 * otherwise to `toAllow`.
 */
function ofSqlite(flagsIndex: number, toRefuse: number, toAllow: number): Instruction[] {
  return [
    [LOAD, 0, 0, argumentAt(flagsIndex)],
    [AND, 0, 0, O_ACCMODE_AND_CREAT],
    [JUMP_IF_EQUAL, 0, toAllow - 3, O_RDWR_AND_CREAT],
    [LOAD, 0, 0, argumentAt(flagsIndex + 1)],
    [JUMP_IF_EQUAL, toRefuse - 5, toAllow - 5, MODE],
  ];
}

/** The filter. Jump offsets count from the next instruction. */
const PROGRAM: Instruction[] = [
  [LOAD, 0, 0, ARCH_AT],
  [JUMP_IF_EQUAL, 0, 14, ARCH_X86_64],
  [LOAD, 0, 0, NUMBER_AT],
  [JUMP_IF_EQUAL, 1, 0, OPEN],
  [JUMP_IF_EQUAL, 5, 11, OPENAT],
  ...ofSqlite(1, 10, 11),
  ...ofSqlite(2, 5, 6),
  [RETURN, 0, 0, EACCES],
  [RETURN, 0, 0, ALLOW],
];

/**
 * Applies the filter to this process and its children. Landlock must be applied before, because it sets no_new_privs.
 * @returns false if the kernel does not support such filters
 */
export function refuseSqliteFiles(): boolean {
  const program = Buffer.alloc(8 * PROGRAM.length);
  for (const [at, [code, ifTrue, ifFalse, value]] of PROGRAM.entries()) {
    program.writeUInt16LE(code, 8 * at);
    program.writeUInt8(ifTrue, 8 * at + 2);
    program.writeUInt8(ifFalse, 8 * at + 3);
    program.writeUInt32LE(value, 8 * at + 4);
  }
  const described = Buffer.alloc(16);
  described.writeUInt16LE(PROGRAM.length, 0);
  described.writeBigUInt64LE(addressOf(program), 8);
  return prctl(PR_SET_SECCOMP, MODE_FILTER, described, 0, 0) === 0;
}
