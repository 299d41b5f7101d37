/** Serves clients over HTTP (Streamable HTTP) at /mcp. Each session belongs to the ClickHouse user who began it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { loadPresets } from '../http-api/queries/presets.ts';
import { type HostCheck, REFUSED_HOST } from '../lib/common/network/allowed-host.ts';
import { withPort } from '../lib/common/network/host-port.ts';
import { httpServer } from '../lib/common/network/http-server.ts';
import { listening } from '../lib/common/network/listening.ts';
import { hostCheckOf } from '../lib/common/network/server-security.ts';
import { createProcessLogger } from '../lib/common/observability/log.ts';
import { printReady, untilStopped } from '../lib/common/service-process.ts';
import type { McpConfig } from './config.ts';
import { refuse } from './refusal.ts';
import { Sessions } from './sessions.ts';

const PATH = '/mcp';

/** Resolves when the service has stopped (service-process.ts). */
export async function serveHttp(
  config: McpConfig,
  { socket, security, json }: NonNullable<McpConfig['http']>,
): Promise<void> {
  const log = createProcessLogger('mcp', config.logLevel);
  const sessions = new Sessions(config, loadPresets(config.presetsFile));
  const isAllowed = hostCheckOf(security);
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const refusal = refusalOf(request, isAllowed);
    if (refusal !== undefined) {
      refuse(response, ...refusal);
      return;
    }
    sessions.handle(request, response).catch((thrown: unknown) => {
      log.error({ err: thrown }, 'request failed');
      if (!response.headersSent) refuse(response, 500, 'the request failed; the log says why');
    });
  };
  const server = httpServer(security, {}, onRequest);
  const address = withPort(socket, await listening(server, socket));
  const url = `${security.tls === undefined ? 'http' : 'https'}://${address}${PATH}`;
  printReady({ service: 'mcp', address, http: url }, json);
  const stop = async (): Promise<void> => {
    await sessions.close();
    server.close();
    server.closeAllConnections();
  };
  await untilStopped({ drain: stop, stop });
}

/** Returns the status and the reason, if the request is none of an agent's. */
function refusalOf(
  { url, headers, socket }: IncomingMessage,
  isAllowed: HostCheck,
): [number, string] | undefined {
  if (!isAllowed(headers.host, socket.localAddress)) return [403, `the host ${REFUSED_HOST}`];
  // Web pages send an Origin; agents do not.
  if (headers.origin !== undefined) return [403, 'web pages may not call this service'];
  return url?.split('?')[0] === PATH ? undefined : [404, `there is only ${PATH}`];
}
