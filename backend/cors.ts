/** Which pages of other origins may read answers, and who may change anything. */

import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';

const UI_ORIGIN = 'https://ui.perfetto.dev';

const METHODS = 'GET, POST, DELETE, OPTIONS';
const HEADERS = 'Content-Type, Authorization, Range';
/** What a page may read of an answer beside its body. */
const EXPOSED = 'Content-Range, Accept-Ranges, Content-Length';

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

/**
 * This machine's pages, and those of this server itself, as far as it is named by its address: any other
 * name may be one that somebody else lets point here.
 */
function isOwn(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (['localhost', '127.0.0.1', '::1'].includes(name)) return true;
  return isIP(name) !== 0 && url.host === host;
}
