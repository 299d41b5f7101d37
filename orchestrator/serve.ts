/** Runs the orchestrator as a process. */
import { createProcessLogger } from '../lib/common/observability/log.ts';
import { printReady, untilStopped } from '../lib/common/service-process.ts';
import type { OrchestratorConfig } from './config.ts';
import { startOrchestrator } from './start.ts';

/** Resolves when the orchestrator has stopped (service-process.ts). */
export async function serve(config: OrchestratorConfig): Promise<void> {
  const log = createProcessLogger('orchestrator', config.logLevel);
  const orchestrator = await startOrchestrator(config, log);
  printReady({ service: 'orchestrator', address: orchestrator.address }, config.json);
  await untilStopped(orchestrator);
}
