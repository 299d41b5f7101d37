/** The version of a `clickhouse` binary, and the oldest one that can serve the views. */
import { type ExecFileException, execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BigtraceError } from '../../lib/common/errors.ts';
import { printable } from '../../lib/common/text/byte-text.ts';

/**
 * The version that has all settings that users.d/bigtrace.xml and the views name. A server that does not know one of them
 * does not start. A test compares it with ClickHouse's own list of new settings.
 */
export const VERSION_MIN = '26.4';

/** The program that curl downloads decompresses itself when it runs for the first time: seconds on most machines. */
const VERSION_MS_MAX = 15_000;

const run = promisify(execFile);

/** @throws invalid_option if the program cannot be run, does not end, prints no version, or is too old */
export async function versionOf(path: string, timeout = VERSION_MS_MAX): Promise<string> {
  const options = { timeout, killSignal: 'SIGKILL' } as const;
  const text = await run(path, ['server', '--version'], options).then(
    ({ stdout }) => stdout,
    (cause: ExecFileException) => {
      throw new BigtraceError(
        'invalid_option',
        `${path} server --version ${reasonOf(cause, timeout)}`,
        { cause },
      );
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

/** A file that is no program is a script to `execFile`, if it can be executed: the shell says what is wrong with it. */
function reasonOf({ code, killed, stderr = '' }: ExecFileException, timeout: number): string {
  if (killed === true)
    return `did not end within ${timeout / 1000} s; if it is a clickhouse program that decompresses itself, run it once before`;
  const why =
    typeof code === 'string'
      ? `cannot be run (${code})`
      : `failed: ${printable(stderr.slice(0, 200).trim()) || `exit code ${code}`}`;
  return `${why}; it must be a clickhouse program of this platform`;
}

export function isBefore(version: string, bound: string): boolean {
  const [parts, bounds] = [version, bound].map((text) => text.split('.').map(Number));
  for (const [at, least] of (bounds ?? []).entries()) {
    const part = parts?.[at] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}
