/** The passwords of ClickHouse's users: from variables, from the previous start, or generated. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import { writePrivateFile } from './private-file.ts';

export interface Passwords {
  admin: string;
  analyst: string;
  /** Of the users that the orchestrator logs in as. */
  service: string;
}

/**
 * Writes `admin.password` and so on, which only their owner may read, into `dataDir`.
 * @throws invalid_option where such a file is empty.
 */
export function settlePasswords(dataDir: string, given: Partial<Passwords>): Passwords {
  return {
    admin: settle(join(dataDir, 'admin.password'), given.admin),
    analyst: settle(join(dataDir, 'analyst.password'), given.analyst),
    service: settleServicePassword(dataDir, given.service),
  };
}

/** The orchestrator reads the file, and starts before ClickHouse does. */
export function settleServicePassword(dataDir: string, given: string | undefined): string {
  return settle(servicePasswordFile(dataDir), given);
}

export function servicePasswordFile(dataDir: string): string {
  return join(dataDir, 'service.password');
}

function settle(path: string, given: string | undefined): string {
  if (given === undefined && existsSync(path)) return readPassword(path);
  const password = given ?? newPassword();
  writePrivateFile(path, `${password}\n`);
  return password;
}

/** @throws invalid_option where the file is empty. */
export function readPassword(path: string): string {
  const password = readFileSync(path, 'utf8').trimEnd();
  if (password !== '') return password;
  throw new BigtraceError(
    'invalid_option',
    `the password file ${path} is empty: delete it, and the next start writes a new password`,
  );
}

export function newPassword(): string {
  return randomBytes(18).toString('base64url');
}

/** What users.d/bigtrace.xml takes instead of the passwords. */
export function passwordVariables({ admin, analyst, service }: Passwords): Record<string, string> {
  return {
    BIGTRACE_ADMIN_PASSWORD_SHA256: hashOf(admin),
    BIGTRACE_ANALYST_PASSWORD_SHA256: hashOf(analyst),
    BIGTRACE_SERVICE_PASSWORD_SHA256: hashOf(service),
  };
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
