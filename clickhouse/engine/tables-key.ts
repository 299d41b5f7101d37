/** The key that the embedded engine encrypts the rows of its tables with, kept beside the passwords. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import { writePrivateFile } from '../accounts/private-file.ts';

/** Of AES-256, in hex. */
const KEY = /^[0-9a-f]{64}$/;

/**
 * Made at the first start. `data`: the engine's directory of data.
 * @throws invalid_option where the file holds no key, or is gone while there are tables that need it
 */
export function settleTablesKey(dataDir: string, data: string): string {
  const path = join(dataDir, 'tables.key');
  if (existsSync(path)) {
    const key = readFileSync(path, 'utf8').trimEnd();
    if (KEY.test(key)) return key;
    throw new BigtraceError('invalid_option', `${path} holds no key: it must be 64 digits in hex`);
  }
  const tables = join(data, 'tables');
  if (existsSync(tables))
    throw new BigtraceError(
      'invalid_option',
      `${path} is missing, and ClickHouse's tables cannot be read without it: restore it, ` +
        `or delete ${tables} with all rows of all tables`,
    );
  const key = randomBytes(32).toString('hex');
  writePrivateFile(path, `${key}\n`);
  return key;
}
