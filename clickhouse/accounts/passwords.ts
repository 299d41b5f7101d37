/** Passwords of ClickHouse's users: from environment variables, from the previous start, or generated. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import { writePrivateFile } from './private-file.ts';

export interface Passwords {
  admin: string;
  analyst: string;
  /** Password of the users that the orchestrator logs in as. */
  service: string;
}

/**
 * Determines the passwords and writes `admin.password` and so on, readable only by their owner, to `dataDir`.
 * @throws invalid_option if an existing password file is empty
 */
export function settlePasswords(dataDir: string, provided: Partial<Passwords>): Passwords {
  return {
    admin: settle(join(dataDir, 'admin.password'), provided.admin),
    analyst: settle(join(dataDir, 'analyst.password'), provided.analyst),
    service: settleServicePassword(dataDir, provided.service),
  };
}

/** Determines the service password. The orchestrator reads its file and starts before ClickHouse does. */
export function settleServicePassword(dataDir: string, provided: string | undefined): string {
  return settle(servicePasswordFile(dataDir), provided);
}

export function servicePasswordFile(dataDir: string): string {
  return join(dataDir, 'service.password');
}

function settle(path: string, provided: string | undefined): string {
  if (provided === undefined && existsSync(path)) return readPassword(path);
  const password = provided ?? newPassword();
  writePrivateFile(path, `${password}\n`);
  return password;
}

/** @throws invalid_option if the file is empty */
export function readPassword(path: string): string {
  const password = readFileSync(path, 'utf8').trimEnd();
  if (password !== '') return password;
  throw new BigtraceError(
    'invalid_option',
    `the password file ${path} is empty; delete it, and the next start generates a new password`,
  );
}

export function newPassword(): string {
  return randomBytes(18).toString('base64url');
}

/** Environment variables with password hashes, which users.d/bigtrace.xml reads. */
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
