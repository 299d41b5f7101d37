/** The flags for the address of the orchestrator, TLS and authentication. */
import { Option } from 'commander';
import { hostPort } from '../common/options.ts';
import { orchestratorVariable } from '../common/orchestrator-variable.ts';
import { type PeerFlags, peerOptions } from '../common/peer-options.ts';

export interface OrchestratorFlags extends PeerFlags {
  orchestrator: string;
}

/** @throws invalid_option when the environment names two orchestrators */
export function orchestratorOptions(env: NodeJS.ProcessEnv): Option[] {
  const address = new Option('--orchestrator <host:port>', 'orchestrator to connect to')
    .env(orchestratorVariable(env))
    .default('127.0.0.1:5051')
    .argParser(hostPort);
  return [address, ...peerOptions()];
}
