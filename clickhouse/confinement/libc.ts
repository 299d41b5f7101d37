/** Calls functions of the C library that Node does not offer. */
import { closeSync, constants, openSync } from 'node:fs';
import { DataType, load, open } from 'ffi-rs';

const O_CLOEXEC = 0o2000000;

/** Must be called before any other function of this file. */
export function openLibc(): void {
  open({ library: 'libc', path: 'libc.so.6' });
}

/** @returns the result of the system call, -1 if it failed. Buffers are passed by address. */
export function syscall(...values: (number | Buffer)[]): number {
  return call('syscall', values, DataType.I32);
}

export function prctl(...values: (number | Buffer)[]): number {
  return call('prctl', values, DataType.I32);
}

/** Replaces stdin of this process by a pseudoterminal without input. */
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
    throw new Error('cannot create a pseudo-terminal; mount /dev/pts');
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

/** @param buffer must stay referenced while the address is used */
export function addressOf(buffer: Buffer): bigint {
  return BigInt(call('memcpy', [buffer, buffer, 0], DataType.I64)); // memcpy returns the destination address
}

const F_SETFD = 2;

/** Lets a descriptor stay open when this process executes another program. */
export function keepOverExec(fd: number): void {
  call('fcntl', [fd, F_SETFD, 0], DataType.I32);
}

/**
 * Executes a program in this process, with its own arguments and environment. Returns only by throwing.
 * @param values the arguments, beginning with the name of the program
 */
export function replaceProcess(
  program: string,
  values: string[],
  environment: NodeJS.ProcessEnv,
): never {
  const variables = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const [own, inherited] = [values.map(cText), variables.map(cText)];
  call('execve', [cText(program), pointers(own), pointers(inherited)], DataType.I32);
  throw new Error(`cannot execute ${program}`);
}

function cText(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** An array of pointers to texts, which ends with a null pointer. The texts must stay referenced. */
function pointers(texts: Buffer[]): Buffer {
  const array = Buffer.alloc(8 * (texts.length + 1));
  for (const [at, text] of texts.entries()) array.writeBigUInt64LE(addressOf(text), 8 * at);
  return array;
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
