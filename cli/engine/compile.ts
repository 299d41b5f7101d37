/** `bigtrace engine compile`: makes machine code of an engine, for `--engine-runtime native`. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { chosenEngine } from '../../lib/engine/engine-choice.ts';
import { addonsDirectory } from '../../lib/engine/index.ts';
import { compileEngine } from '../../lib/engine/native/compile/compile.ts';
import { stepsOn } from './progress.ts';

interface Flags {
  dataDir: string;
  out?: string;
  cc?: string;
  optimization: string;
}

/** @param base the command with its name, to which arguments and flags are added */
export function compileCommand(base: Command): Command {
  return base
    .argument('[name]', 'name or directory of an engine (default: the one in use)')
    .option(
      '--out <dir>',
      'directory of the result (default: engines/native in the data directory)',
    )
    .option(
      '--cc <program>',
      'C compiler (default: the first of clang-19, clang and gcc that there is)',
    )
    .addOption(
      new Option(
        '--optimization <level>',
        'a lower level compiles faster, and the engine is slower',
      )
        .choices(['-O0', '-O1', '-O2', '-O3'])
        .default('-O2'),
    )
    .action(async (name: string | undefined, flags: Flags) => {
      const { wasm } = chosenEngine(name, flags.dataDir);
      const steps = stepsOn(process.stderr);
      const out = resolve(flags.out ?? addonsDirectory(flags.dataDir));
      const { addon, made } = await compileEngine({
        ...{ wasm, out, cc: flags.cc, optimization: flags.optimization, onStep: steps.show },
        tools: toolsDirectory(process.env),
      }).finally(steps.end);
      console.log(
        `${addon} ${made ? 'was made' : 'is up to date'}; \`--engine-runtime native\` uses it.`,
      );
    });
}

function toolsDirectory(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'bigtrace');
}
