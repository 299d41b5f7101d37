/** Host check and CORS: which origins may read responses, and which may send requests that change something. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type HostCheck, REFUSED_HOST } from '../lib/common/network/allowed-host.ts';
import { printable } from '../lib/common/text/byte-text.ts';
import { parsedUrl } from '../lib/common/text/parsed-url.ts';

const UI_ORIGIN = 'https://ui.perfetto.dev';

const METHODS = 'GET, POST, DELETE, OPTIONS';
const HEADERS = 'Content-Type, Authorization, Range';
/** Response headers that pages of other origins may read. */
const EXPOSED = 'Content-Range, Accept-Ranges, Content-Length';

/**
 * Rejects with 403, on every route and method, a request whose Host header is not a name of this service. This stops
 * DNS rebinding: a page whose host name resolves to this server.
 */
export function addHostCheck(app: FastifyInstance, isAllowed: HostCheck): void {
  app.addHook('onRequest', async ({ headers, socket }, reply) => {
    if (isAllowed(headers.host, socket.localAddress)) return;
    return reply.code(403).send({ detail: `${printable(headers.host ?? '')} ${REFUSED_HOST}` });
  });
}

/**
 * Answers CORS preflights, and rejects with 403 requests other than GET and HEAD from origins that are not allowed.
 * Hiding the response is not enough for those: browsers send simple POST requests without a preflight.
 */
export function addCors(app: FastifyInstance, origins: readonly string[]): void {
  const allowed = new Set([UI_ORIGIN, ...origins]);
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    reply.header('Vary', 'Origin');
    if (origin === undefined) return;
    if (!allowed.has(origin) && !isOwn(origin, request.host)) {
      if (request.method === 'GET' || request.method === 'HEAD') return;
      return reply
        .code(403)
        .send({ detail: `origin ${origin} is not allowed; add it with --cors-origin` });
    }
    reply.header('Access-Control-Allow-Origin', origin);
    reply.header('Access-Control-Allow-Credentials', 'true');
    reply.header('Access-Control-Expose-Headers', EXPOSED);
    if (request.method !== 'OPTIONS') return;
    reply.header('Access-Control-Allow-Methods', METHODS);
    reply.header('Access-Control-Allow-Headers', HEADERS);
    reply.header('Access-Control-Max-Age', '600');
    if (request.headers['access-control-request-private-network'] === 'true')
      reply.header('Access-Control-Allow-Private-Network', 'true');
    return reply.code(204).send();
  });
}

/**
 * Whether no page sent the request, or one of the service itself or of `origins` did: one that may use what the
 * browser adds to the request by itself, such as cookies.
 */
export function isOwnPage({ headers, host }: FastifyRequest, origins: readonly string[]): boolean {
  const { origin, 'sec-fetch-site': site = 'none' } = headers;
  if (origin === undefined)
    return site !== 'cross-site' || headers['sec-fetch-mode'] === 'navigate';
  return origins.includes(origin) || parsedUrl(origin)?.host === host;
}

/**
 * Whether the origin is a page of this machine, or of this server itself. The host check, or a trusted proxy, has
 * validated `host` before.
 */
function isOwn(origin: string, host: string): boolean {
  const url = parsedUrl(origin);
  if (url === undefined) return false;
  return ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname) || url.host === host;
}
