/** `bigtrace cancel`: cancels a running query of any user. */
import { Command } from 'commander';
import { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import {
  type OrchestratorFlags,
  orchestratorOptions,
} from '../../lib/client/orchestrator-options.ts';
import { BigtraceError } from '../../lib/common/errors.ts';

export function cancelCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('cancel')
    .description('cancel a running query')
    .argument('<id>', 'query id, as shown by `bigtrace status`');
  for (const option of orchestratorOptions(env)) command.addOption(option);
  return command.action(async (id: string, flags: OrchestratorFlags) => {
    const client = new OrchestratorClient(flags.orchestrator, flags);
    try {
      if ((await client.cancel(id)) === 0)
        throw new BigtraceError('invalid_option', `no query ${id} is running`);
      console.log(`query ${id} is cancelled`);
    } finally {
      client.close();
    }
  });
}
