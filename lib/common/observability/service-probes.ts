/** Starts the probes of a service. */
import { hostOf } from '../network/host-port.ts';
import { hostCheckOf } from '../network/server-security.ts';
import type { ServerSecurity } from '../options/server-security-options.ts';
import type { ProbedService, Probes } from './probes.ts';

/**
 * Returns undefined if there is no port for them; only otherwise it loads what they need.
 * @param socket host:port of the service
 * @throws invalid_option if it cannot listen on the port
 */
export async function startServiceProbes(
  service: ProbedService,
  socket: string,
  serverSecurity: ServerSecurity,
): Promise<Probes | undefined> {
  const { metricsPort } = serverSecurity;
  if (metricsPort === undefined) return undefined;
  const { startProbes } = await import('./probes.ts');
  return startProbes(service, hostOf(socket), metricsPort, hostCheckOf(serverSecurity));
}
