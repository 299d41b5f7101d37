/** Runs the HTTP API as a process: prints the ready line, and stops on signals. */
import { createProcessLogger } from '../lib/common/observability/log.ts';
import { lossyOutput } from '../lib/common/observability/lossy-writer.ts';
import type { HttpApiConfig } from './config.ts';
import { startHttpApi } from './start.ts';

/**
 * Resolves when the service has stopped. SIGTERM drains it; SIGINT, a second SIGTERM, and the exit of a parent
 * process that started it with an IPC channel stop it at once.
 */
export async function serve(config: HttpApiConfig): Promise<void> {
  const log = createProcessLogger('http-api', config.logLevel);
  const api = await startHttpApi(config, log);
  const { address, url: http } = api;
  const ready = { service: 'http-api', address, http, pid: process.pid };
  lossyOutput(1).write(`${config.json ? JSON.stringify(ready) : `http-api ready on ${http}`}\n`);
  await new Promise<void>((resolve, reject) => {
    let signalled = false;
    const end = (atOnce: boolean): void => {
      // A second signal stops the drain.
      const stopped = signalled || atOnce ? api.close() : api.drain();
      signalled = true;
      stopped.then(resolve, reject);
    };
    process.on('SIGTERM', () => end(false));
    process.on('SIGINT', () => end(true));
    process.on('disconnect', () => end(true));
  });
  if (process.connected) process.disconnect();
}
