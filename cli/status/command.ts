/** `bigtrace status`: what the orchestrator and its workers are doing. */
import { Command, Option } from 'commander';
import { OrchestratorClient } from '../../client/orchestrator-client.ts';
import { orchestratorOption } from '../orchestrator.ts';
import { statusText } from './text.ts';

interface StatusOptions {
  orchestrator: string;
  json?: boolean;
}

export function statusCommand(): Command {
  return new Command('status')
    .description('show the running queries and the workers')
    .addOption(orchestratorOption())
    .addOption(new Option('--json', 'all of it, counters too, as one JSON object'))
    .action(async ({ orchestrator, json }: StatusOptions) => {
      const client = new OrchestratorClient(orchestrator);
      try {
        const status = await client.status();
        console.log(json ? JSON.stringify(status) : statusText(status, Date.now()));
      } finally {
        client.close();
      }
    });
}
