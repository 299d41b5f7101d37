/** `bigtrace unbar`: clears barred traces, so that workers load them again. */
import { Command, Option } from 'commander';
import { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import {
  type OrchestratorFlags,
  orchestratorOptions,
} from '../../lib/client/orchestrator-options.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';

interface UnbarFlags extends OrchestratorFlags {
  all?: boolean;
}

export function unbarCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('unbar')
    .description('clear the stored load error of barred traces, so that workers load them again')
    .argument('[addresses...]', 'addresses of barred traces, as shown by `bigtrace status`');
  for (const option of orchestratorOptions(env)) command.addOption(option);
  return command
    .addOption(new Option('--all', 'every barred trace'))
    .action(async (addresses: string[], flags: UnbarFlags) => {
      if (addresses.length > 0 === (flags.all === true))
        throw new BigtraceError(
          'invalid_option',
          'no traces given; name barred traces, or use --all',
        );
      const client = new OrchestratorClient(flags.orchestrator, flags);
      try {
        const trace = addresses.map((address) => Buffer.from(bytesFromText(address)));
        const { lifted, unreached = [] } = await client.unbar({ trace, all: flags.all === true });
        console.log(`${lifted} ${lifted === 1 ? 'trace is' : 'traces are'} no longer barred`);
        if (unreached.length > 0)
          throw new BigtraceError(
            'worker_lost',
            `no response from ${unreached.join(', ')}; run the command again`,
          );
      } finally {
        client.close();
      }
    });
}
