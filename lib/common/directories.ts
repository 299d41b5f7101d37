/**
 * Makes directories. Node's own way to make them with their parents never ends where a file system has a directory, but refuses
 * to make one in it with the error for a missing parent, as /proc does (seen in Node 20).
 */
import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BigtraceError } from './errors.ts';

/**
 * Makes the directory and those above it, unless it is there.
 * @throws BigtraceError invalid_option
 */
export function makeDirectory(path: string, mode?: number): void {
  try {
    if (make(path, mode)) return;
    const parent = dirname(path);
    if (parent !== path) makeDirectory(parent, mode);
    if (!make(path, mode)) throw refused(path, 'ENOENT');
  } catch (thrown) {
    throw failed(path, thrown);
  }
}

/** @returns false if that needs the directory above it first */
function make(path: string, mode: number | undefined): boolean {
  try {
    mkdirSync(path, mode);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return false;
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return true;
    throw thrown;
  }
}

/** As `makeDirectory`, for directories that may be on a slow file system. */
export async function makeDirectoryLater(path: string, mode?: number): Promise<void> {
  try {
    if (await makeLater(path, mode)) return;
    const parent = dirname(path);
    if (parent !== path) await makeDirectoryLater(parent, mode);
    if (!(await makeLater(path, mode))) throw refused(path, 'ENOENT');
  } catch (thrown) {
    throw failed(path, thrown);
  }
}

async function makeLater(path: string, mode: number | undefined): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return false;
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) return true;
    throw thrown;
  }
}

function failed(path: string, thrown: unknown): BigtraceError {
  return thrown instanceof BigtraceError ? thrown : refused(path, codeOf(thrown), thrown);
}

function refused(path: string, code: string | undefined, cause?: unknown): BigtraceError {
  const text = `cannot make the directory ${path} (${code})`;
  return new BigtraceError('invalid_option', text, { cause });
}

function codeOf(thrown: unknown): string | undefined {
  return (thrown as NodeJS.ErrnoException).code;
}
