/**
 * Stores a random ID in the worker's cache directory. The orchestrator places traces by it
 * (orchestrator/dispatch/placement.ts), so a worker that restarts with its cache under another address gets
 * the same traces as before.
 */
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectoryLater } from '../../lib/common/directories.ts';

const FILE = 'id';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * Returns the ID of a cache directory, and creates it if there is none. Returns '' without a directory, or if
 * the ID can be neither read nor written; never rejects.
 */
export async function cacheId(directory: string | undefined): Promise<string> {
  if (directory === undefined) return '';
  const path = join(directory, FILE);
  const id = randomUUID();
  try {
    const stored = await readFile(path, 'utf8').catch(ifMissing(''));
    if (UUID.test(stored)) return stored;
    await makeDirectoryLater(directory, 0o700);
    await writeFile(path, id, { mode: 0o600 });
    return id;
  } catch {
    return ''; // the cache that uses the directory logs the failure
  }
}

/** Only a missing file yields `value`: an ID that cannot be read at the moment must not be replaced. */
function ifMissing<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}
