/** Runs the worker as a process. */
import { createProcessLogger } from '../lib/common/observability/log.ts';
import { printReady, untilStopped } from '../lib/common/service-process.ts';
import type { WorkerConfig } from './config.ts';
import { startWorker } from './start.ts';

/** Resolves when the worker has stopped (service-process.ts). */
export async function serve(config: WorkerConfig): Promise<void> {
  const worker = await startWorker(config, createProcessLogger('worker', config.logLevel));
  printReady({ service: 'worker', address: worker.address }, config.json);
  await untilStopped(worker);
}
