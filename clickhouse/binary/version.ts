/** The version of a `clickhouse` binary, and the oldest one that can serve the views. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BigtraceError } from '../../lib/common/errors.ts';

/**
 * The version that has all settings that users.d/bigtrace.xml and the views name. A server that does not know one of them
 * does not start. A test compares it with ClickHouse's own list of new settings.
 */
export const VERSION_MIN = '26.4';

/** The program that curl downloads decompresses itself when it runs for the first time. */
const VERSION_MS_MAX = 120_000;

const run = promisify(execFile);

/** @throws invalid_option if the program cannot be run, prints no version, or is too old */
export async function versionOf(path: string): Promise<string> {
  const text = await run(path, ['server', '--version'], { timeout: VERSION_MS_MAX }).then(
    ({ stdout }) => stdout,
    (cause: Error) => {
      const [line = ''] = cause.message.split('\n');
      throw new BigtraceError('invalid_option', `ClickHouse cannot be run: ${line}`, { cause });
    },
  );
  const [, version] = /\bversion (\d+\.\d+(?:\.\d+)*)/.exec(text) ?? [];
  if (version === undefined)
    throw new BigtraceError(
      'invalid_option',
      `${path} server --version prints no version of ClickHouse: ${text.slice(0, 200).trim()}`,
    );
  if (isBefore(version, VERSION_MIN))
    throw new BigtraceError(
      'invalid_option',
      `${path} is ClickHouse ${version}, but bigtrace up needs ${VERSION_MIN} or later`,
    );
  return version;
}

export function isBefore(version: string, bound: string): boolean {
  const [parts, bounds] = [version, bound].map((text) => text.split('.').map(Number));
  for (const [at, least] of (bounds ?? []).entries()) {
    const part = parts?.[at] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
