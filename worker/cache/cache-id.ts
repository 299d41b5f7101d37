/**
 * The name of a directory of images. Traces are placed by it (orchestrator/dispatch/placement.ts): a worker that
 * comes back with its images under another address is asked for the same traces as before.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'id';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Made when it is asked for the first time. Empty: there is no directory, or nothing can be kept in it. */
export async function cacheId(directory: string | undefined): Promise<string> {
  if (directory === undefined) return '';
  const path = join(directory, FILE);
  const id = randomUUID();
  try {
    const kept = await readFile(path, 'utf8').catch(ifMissing(''));
    if (UUID.test(kept)) return kept;
    await mkdir(directory, { recursive: true });
    await writeFile(path, id);
    return id;
  } catch {
    return ''; // the cache of images complains of it
  }
}

/** An id that cannot be read just now must not be replaced by another one. */
function ifMissing<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
