/** Runs the HTTP API as a process. */
import { createProcessLogger } from '../lib/common/observability/log.ts';
import { printReady, untilStopped } from '../lib/common/service-process.ts';
import type { HttpApiConfig } from './config.ts';
import { startHttpApi } from './start.ts';

/** Resolves when the service has stopped (service-process.ts). */
export async function serve(config: HttpApiConfig): Promise<void> {
  const log = createProcessLogger('http-api', config.logLevel);
  const { address, url, drain, close } = await startHttpApi(config, log);
  printReady({ service: 'http-api', address, http: url }, config.json);
  await untilStopped({ drain, stop: close });
}
