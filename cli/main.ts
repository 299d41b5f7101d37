/** The `bigtrace` command. */
import { Command } from 'commander';
import { VERSION } from '../common/version.ts';
import { orchestratorCommand } from '../orchestrator/command.ts';
import { workerCommand } from '../worker/index.ts';
import { reportFailure } from './exit.ts';
import { queryCommand } from './query/command.ts';
import { upCommand } from './up/command.ts';

const program = new Command('bigtrace')
  .description('One SQL question over many Perfetto traces')
  .version(VERSION, '--version', 'print the version')
  .addCommand(upCommand(process.env))
  .addCommand(queryCommand())
  .addCommand(orchestratorCommand())
  .addCommand(workerCommand())
  .addCommand(
    new Command('version').description('print the version').action(() => console.log(VERSION)),
  );

/** Errors of commander are thrown, so that usage errors can have an exit code of their own. */
function throwErrors(command: Command): void {
  command.exitOverride().showHelpAfterError(`(bigtrace ${command.name()} --help tells more)`);
  for (const sub of command.commands) throwErrors(sub);
}

throwErrors(program);
try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = reportFailure(thrown);
}
