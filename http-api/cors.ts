/** Which pages of other origins may read answers, and who may change anything. */

import type { FastifyInstance } from 'fastify';
import { type HostCheck, REFUSED_HOST } from '../lib/common/network/allowed-host.ts';
import { printable } from '../lib/common/text/byte-text.ts';

const UI_ORIGIN = 'https://ui.perfetto.dev';

const METHODS = 'GET, POST, DELETE, OPTIONS';
const HEADERS = 'Content-Type, Authorization, Range';
/** What a page may read of an answer beside its body. */
const EXPOSED = 'Content-Range, Accept-Ranges, Content-Length';

/** Every route, whatever the method: a page whose own name points here is refused. */
export function addHostCheck(app: FastifyInstance, isAllowed: HostCheck): void {
  app.addHook('onRequest', async ({ headers, socket }, reply) => {
    if (isAllowed(headers.host, socket.localAddress)) return;
    return reply.code(403).send({ detail: `${printable(headers.host ?? '')} ${REFUSED_HOST}` });
  });
}

/** A page that may not read answers may not ask for changes either: browsers send simple requests unasked. */
export function addCors(app: FastifyInstance, origins: readonly string[]): void {
  const allowed = new Set([UI_ORIGIN, ...origins]);
  app.addHook('onRequest', async (request, reply) => {
    const { origin, host } = request.headers;
    reply.header('Vary', 'Origin');
    if (origin === undefined) return;
    if (!allowed.has(origin) && !isOwn(origin, host)) {
      if (request.method === 'GET' || request.method === 'HEAD') return;
      return reply
        .code(403)
        .send({ detail: `origin ${origin} is not allowed; --cors-origin adds it` });
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

/** This machine's pages, and those of this server itself: by which names that may be called was checked. */
function isOwn(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname) || url.host === host;
}
