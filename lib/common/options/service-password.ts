/** Reads the password of the ClickHouse users that services log in as. */
import { readFileSync } from 'node:fs';
import { BigtraceError } from '../errors.ts';

/** @param file value of --service-password-file @returns an empty string without a file @throws invalid_option */
export function servicePassword(file: string | undefined): string {
  if (file === undefined) return '';
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (thrown) {
    throw new BigtraceError('invalid_option', `--service-password-file: ${String(thrown)}`);
  }
}
