/** Runs the programs that compile an engine. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { BigtraceError } from '../../../common/errors.ts';

const ERROR_LINES = 5;

const run = promisify(execFile);

/** @throws BigtraceError invalid_option with the first lines that a program printed before it failed */
export async function command(
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  try {
    await run(program, args, signal === undefined ? {} : { signal });
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string };
    const why = (stderr || message).trim().split('\n').slice(0, ERROR_LINES).join('\n');
    throw new BigtraceError('invalid_option', `${program} failed: ${why}`, { cause });
  }
}
