/** The flags for the address of the orchestrator, TLS and authentication. */
import { Option } from 'commander';
import {
  type ClientCredentialsFlags,
  clientCredentialsOptions,
} from '../common/options/client-credentials-options.ts';
import { hostPort } from '../common/options/options.ts';
import { orchestratorVariable } from '../common/options/orchestrator-variable.ts';

export interface OrchestratorFlags extends ClientCredentialsFlags {
  orchestrator: string;
}

/** @throws BigtraceError invalid_option when the environment names two orchestrators */
export function orchestratorOptions(env: NodeJS.ProcessEnv): Option[] {
  const address = new Option('--orchestrator <host:port>', 'orchestrator to connect to')
    .env(orchestratorVariable(env))
    .default('127.0.0.1:5051')
    .argParser(hostPort);
  return [address, ...clientCredentialsOptions()];
}
