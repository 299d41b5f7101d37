/** The passwords of ClickHouse's users: given, kept from the last start, or made up. */
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Passwords {
  admin: string;
  analyst: string;
  /** Of the users that the orchestrator logs in as. */
  service: string;
}

/** Writes `admin.password` and so on, which only their owner may read, into `dataDir`. */
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
  if (given === undefined && existsSync(path)) return readFileSync(path, 'utf8').trimEnd();
  const password = given ?? randomBytes(18).toString('base64url');
  writeFileSync(path, `${password}\n`, { mode: 0o600 });
  chmodSync(path, 0o600); // of a file that was there, the mode is not changed by writing
  return password;
}

/** What users.d/bigtrace.xml takes instead of the passwords. */
export function passwordVariables({ admin, analyst, service }: Passwords): Record<string, string> {
  return {
    BIGTRACE_ADMIN_PASSWORD_SHA256: sha256(admin),
    BIGTRACE_ANALYST_PASSWORD_SHA256: sha256(analyst),
    BIGTRACE_SERVICE_PASSWORD_SHA256: sha256(service),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
