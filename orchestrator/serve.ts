/** The orchestrator as a process: says when it is ready, and ends when it is told to. */
import { createProcessLogger } from '../lib/common/observability/log.ts';
import { lossyOutput } from '../lib/common/observability/lossy-writer.ts';
import type { OrchestratorConfig } from './config.ts';
import { startOrchestrator } from './start.ts';

/** Resolves once it has stopped: after SIGTERM, SIGINT, or the end of the process that started it. */
export async function serve(config: OrchestratorConfig): Promise<void> {
  const log = createProcessLogger('orchestrator', config.logLevel);
  const orchestrator = await startOrchestrator(config, log);
  const { address, httpUrl: http } = orchestrator;
  const ready = { service: 'orchestrator', address, http, pid: process.pid };
  const line = config.json ? JSON.stringify(ready) : `orchestrator ready on ${address}`;
  lossyOutput(1).write(`${line}\n`);
  await new Promise<void>((resolve, reject) => {
    let told = false;
    const end = (atOnce: boolean): void => {
      // Told twice, it does not wait any more.
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
