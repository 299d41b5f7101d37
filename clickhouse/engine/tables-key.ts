/** The key that encrypts the rows of the embedded engine's tables, stored next to the passwords. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import { writePrivateFile } from '../accounts/private-file.ts';
import { DATA_NAMES } from './engine-files.ts';

/** A key of AES-256 in hexadecimal. */
const KEY = /^[0-9a-f]{64}$/;

/**
 * Reads the key, or generates it at the first start.
 * @param data the data directory of the embedded engine, or of a server
 * @throws invalid_option if the file has no valid key, or is missing although there are tables that need it
 */
export function settleTablesKey(dataDir: string, data: string): string {
  const path = join(dataDir, 'tables.key');
  if (existsSync(path)) {
    const key = readFileSync(path, 'utf8').trimEnd();
    if (KEY.test(key)) return key;
    throw new BigtraceError(
      'invalid_option',
      `${path} does not contain a key: it must be 64 hexadecimal digits`,
    );
  }
  const tables = DATA_NAMES.map((name) => join(dirname(data), name, 'tables')).find(existsSync);
  if (tables !== undefined)
    throw new BigtraceError(
      'invalid_option',
      `${path} is missing, and ClickHouse's tables cannot be read without it: restore the file, ` +
        `or delete ${tables}, and with it all rows of all tables`,
    );
  const key = randomBytes(32).toString('hex');
  writePrivateFile(path, `${key}\n`);
  return key;
}
