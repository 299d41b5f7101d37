/** Entry point of the `bigtrace` command. */
import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { VERSION } from '../lib/common/version.ts';
import { COMMANDS } from './commands.ts';
import { reportEarlyEnd, reportFailure } from './exit.ts';

async function program(commandName: string | undefined): Promise<Command> {
  const root = new Command('bigtrace')
    .description('Run one SQL query over many Perfetto traces')
    .version(VERSION, '--version', 'print the version');
  for (const [name, load] of Object.entries(COMMANDS))
    if (name === commandName || !Object.hasOwn(COMMANDS, commandName ?? ''))
      root.addCommand(await load());
  throwErrors(root, root.name());
  return root;
}

/**
 * Makes commander throw its errors, so that usage errors get their own exit code.
 * @param path as the user types the command
 */
function throwErrors(command: Command, path: string): void {
  command.exitOverride().showHelpAfterError(`(${path} --help shows the usage)`);
  for (const sub of command.commands) throwErrors(sub, `${path} ${sub.name()}`);
}

// Rows pass through as buffers outside of V8's heap, but V8 counts them, and therefore collects its small heap
// repeatedly: half of an orchestrator's time. This flag lets the heap always grow to four times its size before the
// next collection, the most that V8 would otherwise choose.
setFlagsFromString('--heap-growing-percent=300');

const ended = reportEarlyEnd();
try {
  await (await program(process.argv[2])).parseAsync();
} catch (thrown) {
  process.exitCode = reportFailure(thrown);
} finally {
  ended();
}
