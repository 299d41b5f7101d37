/** The flags that name the orchestrator to ask, and say how it is reached. */
import { Option } from 'commander';
import { hostPort } from '../common/options.ts';
import { type PeerFlags, peerOptions } from '../common/peer-options.ts';

export interface OrchestratorFlags extends PeerFlags {
  orchestrator: string;
}

export function orchestratorOptions(): Option[] {
  const address = new Option('--orchestrator <host:port>', 'the orchestrator to ask')
    .env('BIGTRACE_ORCHESTRATOR')
    .default('127.0.0.1:5051')
    .argParser(hostPort);
  return [address, ...peerOptions()];
}
