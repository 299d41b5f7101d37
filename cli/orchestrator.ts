/** The flag that names the orchestrator to ask. */
import { Option } from 'commander';
import { hostPort } from '../common/options.ts';

export function orchestratorOption(): Option {
  return new Option('--orchestrator <host:port>', 'the orchestrator to ask')
    .env('BIGTRACE_ORCHESTRATOR')
    .default('127.0.0.1:5051')
    .argParser(hostPort);
}
