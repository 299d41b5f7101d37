/** Runs the worker as a process: prints the ready line, and stops at a signal. */
import { createProcessLogger } from '../lib/common/observability/log.ts';
import { lossyOutput } from '../lib/common/observability/lossy-writer.ts';
import type { WorkerConfig } from './config.ts';
import { startWorker } from './start.ts';

/**
 * Resolves once the worker has stopped: after SIGTERM (drain), or SIGINT or the end of the parent process (at once).
 */
export async function serve(config: WorkerConfig): Promise<void> {
  const worker = await startWorker(config, createProcessLogger('worker', config.logLevel));
  const { address } = worker;
  const ready = { service: 'worker', address, pid: process.pid };
  const line = config.json ? JSON.stringify(ready) : `worker ready on ${address}`;
  lossyOutput(1).write(`${line}\n`);
  await new Promise<void>((resolve, reject) => {
    let told = false;
    const end = (how: 'drain' | 'stop'): void => {
      // A second signal ends the drain at once.
      const stopped = told || how === 'stop' ? worker.stop() : worker.drain();
      told = true;
      stopped.then(resolve, reject);
    };
    process.on('SIGTERM', () => end('drain'));
    process.on('SIGINT', () => end('stop'));
    process.on('disconnect', () => end('stop'));
  });
  if (process.connected) process.disconnect();
}
