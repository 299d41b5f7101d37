/** `bigtrace status`: shows the state of the orchestrator, its workers and queries. */
import { Command, Option } from 'commander';
import { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import {
  type OrchestratorFlags,
  orchestratorOptions,
} from '../../lib/client/orchestrator-options.ts';
import { statusText } from './text.ts';

interface StatusOptions extends OrchestratorFlags {
  json?: boolean;
}

export function statusCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('status').description(
    'show the workers and the running queries of an orchestrator',
  );
  for (const option of orchestratorOptions(env)) command.addOption(option);
  return command
    .addOption(new Option('--json', 'print everything, including counters, as one JSON object'))
    .action(async (flags: StatusOptions) => {
      const client = new OrchestratorClient(flags.orchestrator, flags);
      try {
        const status = await client.status();
        console.log(flags.json ? JSON.stringify(status) : statusText(status, Date.now()));
      } finally {
        client.close();
      }
    });
}
