/** Calls of the C library, for what Node has no function for. */
import { closeSync, constants, openSync } from 'node:fs';
import { DataType, load, open } from 'ffi-rs';

const O_CLOEXEC = 0o2000000;

/** Before the first call. */
export function openLibc(): void {
  open({ library: 'libc', path: 'libc.so.6' });
}

/** Its result: -1 where it failed. A buffer is passed by its address. */
export function syscall(...values: (number | Buffer)[]): number {
  return call('syscall', values, DataType.I32);
}

export function prctl(...values: (number | Buffer)[]): number {
  return call('prctl', values, DataType.I32);
}

/** Makes a terminal that nobody types at the standard input of this process. */
export function useSilentTerminal(): void {
  const main = call(
    'posix_openpt',
    [constants.O_RDWR | constants.O_NOCTTY | O_CLOEXEC],
    DataType.I32,
  );
  if (
    main < 0 ||
    call('grantpt', [main], DataType.I32) !== 0 ||
    call('unlockpt', [main], DataType.I32) !== 0
  )
    throw new Error('no terminal can be made: is /dev/pts mounted?');
  const name = Buffer.alloc(64);
  if (call('ptsname_r', [main, name, name.length], DataType.I32) !== 0)
    throw new Error('ptsname_r() failed');
  const terminal = openSync(
    name.toString('latin1', 0, name.indexOf(0)),
    constants.O_RDWR | constants.O_NOCTTY,
  );
  call('dup2', [terminal, 0], DataType.I32);
  closeSync(terminal);
}

/** Of a buffer that must be kept for as long as the address is used. */
export function addressOf(buffer: Buffer): bigint {
  return BigInt(call('memcpy', [buffer, buffer, 0], DataType.I64)); // memcpy returns where it copied to
}

function call(
  funcName: string,
  values: (number | Buffer)[],
  retType: DataType.I32 | DataType.I64,
): number {
  return load({
    library: 'libc',
    funcName,
    retType,
    paramsType: values.map((value) =>
      typeof value === 'number' ? DataType.I64 : DataType.U8Array,
    ),
    paramsValue: values,
  });
}
