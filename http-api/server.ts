/** The HTTP server for Perfetto's BigTrace page (bigtrace.html) and the console. */

import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { BigtraceError } from '../lib/common/errors.ts';
import { httpServer } from '../lib/common/network/http-server.ts';
import { hostCheckOf } from '../lib/common/network/server-security.ts';
import type { Logger } from '../lib/common/observability/log.ts';
import { VERSION } from '../lib/common/version.ts';
import { RootAnswer } from './contract/page.ts';
import { addCors, addHostCheck } from './cors.ts';
import type { Counts } from './counters.ts';
import { statusOf } from './http-error.ts';
import { addJsonParser } from './json-body.ts';
import { type AccessParts, addAuthentication } from './login/authentication.ts';
import { addLoginRoutes } from './login/routes.ts';
import { schemaOf, typed } from './routes/api.ts';
import { addCatalogRoutes, type CatalogParts } from './routes/catalog.ts';
import { addConsoleRoutes, type ConsoleOptions } from './routes/console.ts';
import { addConsoleFiles } from './routes/console-files.ts';
import { addOpenapi } from './routes/openapi.ts';
import { addPerfettoUi } from './routes/perfetto-ui.ts';
import { addQueryRoutes } from './routes/queries.ts';
import { addTraceRoute } from './routes/trace.ts';
import type { QueryWatch } from './watch.ts';

export interface ServerParts extends CatalogParts, AccessParts {
  watch: QueryWatch;
  /** URL of ClickHouse's HTTP interface, for links. */
  clickhouseUrl: string;
  /** Undefined: the console is not served. */
  console?: ConsoleOptions | undefined;
  log: Logger;
  counts: Counts;
}

/** The SQL is the largest part of a request. */
const BODY_BYTES_MAX = 8 * 2 ** 20;
const DETAIL_CHARS_MAX = 10_000;

const OPTIONS: FastifyServerOptions = {
  bodyLimit: BODY_BYTES_MAX,
  rewriteUrl: ({ url = '/' }) => rewritten(url),
  // No type coercion: a number is not accepted for a string.
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  routerOptions: { ignoreTrailingSlash: true, maxParamLength: 8192 },
  forceCloseConnections: true,
};

export async function createServer(parts: ServerParts): Promise<FastifyInstance> {
  const { serverSecurity } = parts;
  const options = { ...OPTIONS, trustProxy: parts.isProxy };
  const app = Fastify(
    serverSecurity.tls === undefined
      ? options
      : { ...options, serverFactory: (handler) => httpServer(serverSecurity, {}, handler) },
  );
  await addOpenapi(app);
  addJsonParser(app);
  addCounts(app, parts.counts);
  addHostCheck(app, hostCheckOf(serverSecurity));
  addCors(app, parts.corsOrigins);
  if (parts.console !== undefined) addConsoleFiles(app, parts.console.directory, parts.log);
  addAuthentication(app, parts);
  addErrors(app, parts.log);
  addRoot(app, parts);
  addLoginRoutes(app, parts);
  addCatalogRoutes(app, parts);
  addTraceRoute(app, parts.watch);
  addQueryRoutes(app, parts);
  if (parts.console?.servedUi !== undefined)
    await addPerfettoUi(app, parts.console.servedUi, parts.baseOf);
  if (parts.console !== undefined)
    addConsoleRoutes(app, parts.console, parts.executor, parts.clickhouseUrl);
  return app;
}

/**
 * Normalizes the page's URLs: collapses `//`, removes the prefix `/v1`, and turns `{uuid}:action` into `{uuid}/action`.
 */
export function rewritten(url: string): string {
  const [, path = '/', query = ''] = /^([^?]*)(\?.*)?$/s.exec(url) ?? [];
  const plain = path.replace(/\/{2,}/g, '/').replace(/^\/v1(?=\/|$)/, '') || '/';
  return plain.replace(/^(\/query_executions\/[^/:]+):(\w+)$/, '$1/$2') + query;
}

function addCounts(app: FastifyInstance, counts: Counts): void {
  app.addHook('onResponse', async (_request, { statusCode }) => {
    counts.requests += 1;
    if (statusCode >= 500) counts.requests_failed += 1;
  });
}

function addRoot(app: FastifyInstance, { traces }: ServerParts): void {
  typed(app).get('/', schemaOf(RootAnswer), async () => ({
    status: 'ok',
    service: 'bigtrace',
    version: VERSION,
    // Null while ClickHouse is not reachable; this server already is.
    traceCount: await traces.count().catch(() => null),
  }));
  // Does not call ClickHouse: it shows whether this process responds.
  app.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'ok' }));
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

function addErrors(app: FastifyInstance, log: Logger): void {
  // Treat a missing body as an empty object.
  app.addHook('preValidation', async (request) => {
    if (request.method === 'POST') request.body ??= {};
  });
  app.setErrorHandler(async (thrown, request, reply) => {
    const status = statusOf(thrown);
    const level = status >= 500 ? 'error' : 'info';
    log[level]({ path: request.url, status, err: thrown }, 'request failed');
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    return reply.code(status).send({ detail: shortened(text) });
  });
  app.setNotFoundHandler(async (request, reply) =>
    reply.code(404).send({ detail: `there is no ${request.method} ${request.url.split('?')[0]}` }),
  );
}

/** Cuts the middle out of a long message. An error may quote its input, which may be megabytes. */
function shortened(detail: string): string {
  if (detail.length <= DETAIL_CHARS_MAX) return detail;
  return `${detail.slice(0, DETAIL_CHARS_MAX / 2)} … ${detail.slice(-DETAIL_CHARS_MAX / 2)}`;
}

/** @returns the port that the server listens on @throws invalid_option if it cannot bind the port */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BigtraceError('invalid_option', `cannot listen for HTTP: ${text}`, { cause });
  }
  return boundPort(app);
}

/** The port that the server listens on; 0 before it listens. */
export function boundPort(app: FastifyInstance): number {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
