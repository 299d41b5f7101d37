/** Finds the C compiler that compiles engines. */
import { execFileSync } from 'node:child_process';
import { BigtraceError } from '../../../common/errors.ts';

/** In order of preference: clang's code is faster than that of gcc. */
const COMPILERS = ['clang-19', 'clang', 'gcc'] as const;

export interface Compiler {
  command: string;
  /** The first line of its version. */
  version: string;
}

/**
 * @param choice of the user
 * @throws BigtraceError invalid_option: there is none
 */
export function findCompiler(choice: string | undefined): Compiler {
  for (const command of choice === undefined ? COMPILERS : [choice]) {
    const version = versionOf(command);
    if (version !== undefined) return { command, version };
  }
  throw new BigtraceError(
    'invalid_option',
    choice === undefined
      ? `there is no C compiler (none of ${COMPILERS.join(', ')}): install one, on Debian with ` +
          '`apt-get install clang-19`, or name one with --cc'
      : `--cc ${choice}: \`${choice} --version\` does not run`,
  );
}

function versionOf(command: string): string | undefined {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync(command, ['--version'], { encoding: 'utf8', stdio }).split('\n', 1)[0];
  } catch {
    return undefined;
  }
}
