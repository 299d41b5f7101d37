/** Runs the orchestrator as a process: prints the ready line, and stops on signals. */
import { createProcessLogger } from '../lib/common/observability/log.ts';
import { lossyOutput } from '../lib/common/observability/lossy-writer.ts';
import type { OrchestratorConfig } from './config.ts';
import { startOrchestrator } from './start.ts';

/**
 * Resolves when the orchestrator has stopped. SIGTERM drains it; SIGINT, a second SIGTERM, and the exit of a parent
 * process that started it with an IPC channel stop it at once.
 */
export async function serve(config: OrchestratorConfig): Promise<void> {
  const log = createProcessLogger('orchestrator', config.logLevel);
  const orchestrator = await startOrchestrator(config, log);
  const { address } = orchestrator;
  const ready = { service: 'orchestrator', address, pid: process.pid };
  const line = config.json ? JSON.stringify(ready) : `orchestrator ready on ${address}`;
  lossyOutput(1).write(`${line}\n`);
  await new Promise<void>((resolve, reject) => {
    let told = false;
    const end = (atOnce: boolean): void => {
      // A second signal stops the drain.
      if (told || atOnce) {
        orchestrator.stop();
        resolve();
      } else orchestrator.drain().then(resolve, reject);
      told = true;
    };
    process.on('SIGTERM', () => end(false));
    process.on('SIGINT', () => end(true));
    process.on('disconnect', () => end(true));
  });
  if (process.connected) process.disconnect();
}
