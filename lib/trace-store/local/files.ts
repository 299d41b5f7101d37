/**
 * The calls of the file system that the local store needs, in two kinds: those that wait in Node's thread pool, for the main
 * thread, and those that block the thread of the caller, for a thread that does nothing else (file-thread.ts).
 */
import {
  type BigIntStats,
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
} from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';

type Eventually<Value> = Value | Promise<Value>;

/** An open file or directory. */
export interface OpenFile {
  readonly fd: number;
  stat(options: { bigint: true }): Eventually<BigIntStats>;
  read(
    into: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Eventually<{ bytesRead: number }>;
  close(): Eventually<void>;
}

export interface Files {
  lstat(path: Buffer): Eventually<Stats>;
  /** As `lstat`, with all digits of the times. */
  lstatExactly(path: Buffer): Eventually<BigIntStats>;
  readlink(path: Buffer | string): Eventually<Buffer>;
  open(path: Buffer, flags: number): Eventually<OpenFile>;
}

export const WAITING_FILES: Files = {
  lstat: (path) => lstat(path),
  lstatExactly: (path) => lstat(path, { bigint: true }),
  readlink: (path) => readlink(path, { encoding: 'buffer' }),
  open: (path, flags) => open(path, flags),
};

export const BLOCKING_FILES: Files = {
  lstat: (path) => lstatSync(path),
  lstatExactly: (path) => lstatSync(path, { bigint: true }),
  readlink: (path) => readlinkSync(path, { encoding: 'buffer' }),
  open: (path, flags) => {
    const fd = openSync(path, flags);
    return {
      fd,
      stat: (options) => fstatSync(fd, options),
      read: (into, offset, length, position) => ({
        bytesRead: readSync(fd, into, offset, length, position),
      }),
      close: () => closeSync(fd),
    };
  },
};
