/** The HTTP server with a real listener. ClickHouse is not running. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import { createLogger } from '../../lib/common/observability/log.ts';
import { PLAINTEXT_SERVER } from '../../lib/common/options/server-security-options.ts';
import { baseReader, proxyCheck } from '../base.ts';
import { type Reader, readerFor, signalOf } from '../caller.ts';
import { openDatabase } from '../queries/database.ts';
import { Executor } from '../queries/executor.ts';
import { Experiments } from '../queries/experiments.ts';
import { loadPresets } from '../queries/presets.ts';
import { createServer, listen } from '../server.ts';
import { Traces } from '../sql/traces.ts';
import type { QueryWatch } from '../watch.ts';

/** Chunks of the trace; `null` makes the store fail at that point. */
let chunks: (string | null)[] = [];

const watch: QueryWatch = {
  counts: async () => undefined,
  failures: async () => [],
  cancel: async () => 0,
  countTraces: async () => 0,
  openTrace: async () => ({
    size: 4,
    generation: 'g',
    read: async function* () {
      for (const chunk of chunks) {
        if (chunk === null) throw new BigtraceError('store_failed', 'the disk is gone');
        yield Buffer.from(chunk);
      }
    },
  }),
};

const isProxy = proxyCheck(['127.0.0.0/8']);
const CLICKHOUSE = 'http://127.0.0.1:1';

let app: FastifyInstance;
let url = '';
beforeAll(async () => {
  const database = openDatabase({ url: CLICKHOUSE, username: '', password: '' });
  const traces = new Traces(database, database);
  const log = createLogger('test', 'silent');
  const counts = { requests: 0, requests_failed: 0, queries: 0 };
  app = await createServer({
    ...{
      watch,
      traces,
      log,
      counts,
      corsOrigins: [],
      clickhouseUrl: CLICKHOUSE,
      defaultTraces: [],
    },
    ...{ isProxy, baseOf: baseReader(undefined, isProxy) },
    ...{ trustedUserHeader: undefined, logins: undefined },
    serverSecurity: { ...PLAINTEXT_SERVER, allowedHosts: ['bigtrace.example'] },
    experiments: new Experiments(database, traces),
    executor: new Executor({ database, traces, watch, log, counts, tableLifeMs: 1 }),
    presets: loadPresets(undefined),
  });
  url = `http://127.0.0.1:${await listen(app, '127.0.0.1', 0)}`;
});
afterAll(() => app.close());

async function send(
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number | undefined; body: string; headers: IncomingHttpHeaders }> {
  const request = httpRequest(`${url}${path}`, { method, headers }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const body = Buffer.concat(await response.toArray()).toString();
  return { status: response.statusCode, body, headers: response.headers };
}

it.each([
  ...['/', '/v1/', '/openapi.json', '/trace_presets', '/query_executions', '/trace/L2xvY2FsL2E/a'],
  '/nowhere',
])('rejects a request for %s whose Host is not a name of this service', async (path) => {
  for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'DELETE']) {
    const { status, body } = await send(path, { host: 'evil.example:5001' }, method);
    expect([method, status]).toEqual([method, 403]);
    if (method !== 'HEAD')
      expect(JSON.parse(body)).toEqual({
        detail: 'evil.example:5001 is not a host name of this service; --allowed-hosts adds names',
      });
  }
});

/** Every path of the API, with its methods, and what is no part of the API. */
async function everyRoute(): Promise<[string, string[]][]> {
  const { paths } = JSON.parse((await send('/openapi.json', {})).body) as {
    paths: Record<string, object>;
  };
  const routes = Object.entries(paths).map(([path, methods]): [string, string[]] => [
    path.replaceAll(/\{\w+\}/g, 'L2E'),
    Object.keys(methods).map((method) => method.toUpperCase()),
  ]);
  expect(routes.length).toBeGreaterThan(15);
  return [...routes, ['/', ['POST']], ['/openapi.json', ['POST']], ['/console.js', ['POST']]];
}

const FROM_A_PAGE = { origin: 'http://evil.example' };

it('pages of other sites cannot read responses', async () => {
  const { status, headers } = await send('/trace_presets', FROM_A_PAGE);
  expect(status).toBe(200);
  expect(headers['access-control-allow-origin']).toBeUndefined();
});

it('every route rejects other names of the host, and writes of pages of other sites', async () => {
  for (const [path, methods] of await everyRoute())
    for (const method of [...methods, 'OPTIONS']) {
      const byName = await send(path, { host: 'evil.example' }, method);
      expect([method, path, byName.status]).toEqual([method, path, 403]);
      if (method === 'GET' || method === 'HEAD') continue;
      const { status, headers } = await send(path, FROM_A_PAGE, method);
      expect([method, path, status]).toEqual([method, path, 403]);
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
});

it.each(['127.0.0.1', '10.1.2.3:5001', '[::1]:5001', 'localhost:5001', 'bigtrace.example'])(
  'accepts the host name %s',
  async (host) => {
    expect((await send('/trace_presets', { host })).status).toBe(200);
  },
);

it('a page whose origin is an allowed host name may send POST requests', async () => {
  const preflight = (origin: string) =>
    send('/bigtrace_execution_config', { host: 'bigtrace.example', origin }, 'POST');
  expect((await preflight('http://bigtrace.example')).status).toBe(200);
  expect((await preflight('http://evil.example')).status).toBe(403);
});

const TRACE = '/trace/L2xvY2FsL2E/a';

it('a trace is sent with its content length', async () => {
  chunks = ['ab', 'cd'];
  const { status, body, headers } = await send(TRACE, {});
  expect([status, body, headers['content-length']]).toEqual([200, 'abcd', '4']);
});

it('HEAD of a trace has its content length, and reads nothing', async () => {
  chunks = [null];
  const whole = await send(TRACE, {}, 'HEAD');
  expect([whole.status, whole.body, whole.headers['content-length']]).toEqual([200, '', '4']);
  expect(whole.headers['accept-ranges']).toBe('bytes');
  const part = await send(TRACE, { range: 'bytes=1-2' }, 'HEAD');
  expect([part.status, part.body, part.headers['content-length']]).toEqual([206, '', '2']);
});

it('HEAD of the rows of a query reads none', async () => {
  const file = '/query_executions/u:download?format=csv';
  expect((await send(file, {}, 'GET')).status).toBe(503); // ClickHouse is asked
  expect((await send(file, {}, 'HEAD')).status).toBe(404);
});

it.each([{}, { range: 'bytes=1-2' }])(
  'a read that fails before its first byte returns an error with the reason, %o',
  async (headers) => {
    chunks = [null];
    const response = await send(TRACE, headers);
    expect([response.status, JSON.parse(response.body)]).toEqual([
      503,
      { detail: 'the disk is gone' },
    ]);
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    expect(response.headers['content-disposition']).toBeUndefined();
  },
);

it('a read that fails later aborts the connection', async () => {
  chunks = ['ab', null];
  await expect(send(TRACE, {})).rejects.toThrow('aborted');
});

async function post(path: string, body: string): Promise<{ status: number; text: string }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

const listOf = (count: number, item: string): string => `[${Array(count).fill(item).join(',')}]`;

it.each([
  ['brackets', '['.repeat(4_000_000), 'nested more than 32 levels deep'],
  ['objects', '{"a":'.repeat(1_000_000), 'nested more than 32 levels deep'],
  ['values', `{"settings":${listOf(2_000_000, '1')}}`, 'more than 100000 values and names'],
  ['columns', `{"columns":${listOf(2001, '"address"')}}`, 'must NOT have more than 2000 items'],
  ['a number for a text', '{"filters":[{"field":"address","op":"=","value":5}]}', 'must be string'],
  ['a list in a list', '{"filters":[{"field":"address","op":"in","value":[[]]}]}', 'must be'],
])('a body of too many %s is refused, with the bound', async (_, body, reason) => {
  const { status, text } = await post('/trace_metadata', body);
  expect(status).toBe(400);
  expect(JSON.parse(text).detail).toContain(reason);
});

it('brackets inside strings do not count, and error messages are shortened', async () => {
  const table_name = `\\"${'[{,:\\'.repeat(100_000)}`;
  const { status, text } = await post('/check_table_exists', JSON.stringify({ table_name }));
  expect(status).toBe(400);
  expect(JSON.parse(text).detail).toContain('must begin with a letter or _');
  expect(text.length).toBeLessThan(20_000);
});

it('counts queries that ClickHouse has not ended for each address', async () => {
  const users: (string | undefined)[] = [];
  const reader: Reader = {
    rows: async (_query, options) => {
      users.push(options?.user);
      return [];
    },
    count: async () => 0,
  };
  const reading = Fastify();
  reading.get('/', async (_request, reply) => readerFor(reader, signalOf(reply)).rows('SELECT 1'));
  for (const remoteAddress of ['10.0.0.1', '10.0.0.2'])
    expect((await reading.inject({ url: '/', remoteAddress })).statusCode).toBe(200);
  expect(users).toEqual(['http-address:10.0.0.1', 'http-address:10.0.0.2']);
  await reading.close();
});

it('CORS allows pages of Perfetto and of this machine, with credentials, and no others', async () => {
  const preflight = (origin: string) =>
    fetch(`${url}/experiments`, {
      method: 'OPTIONS',
      headers: {
        ...{ Origin: origin, 'Access-Control-Request-Method': 'POST' },
        ...{ 'Access-Control-Request-Private-Network': 'true' },
      },
    });
  for (const origin of ['https://ui.perfetto.dev', 'http://localhost:10000']) {
    const { status, headers } = await preflight(origin);
    expect(status).toBe(204);
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
      'access-control-allow-headers': expect.stringContaining('Content-Type, Authorization'),
      'access-control-allow-private-network': 'true',
      vary: 'Origin',
    });
  }
  const refused = await preflight('https://evil.example');
  expect(refused.status).toBe(403);
  expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  const headers = { origin: 'https://evil.example', 'content-type': 'text/plain' };
  expect((await send('/query_executions/u:cancel', headers, 'POST')).status).toBe(403);
});

it('/openapi.json names and summarizes each call, and says how to reach the service', async () => {
  const { paths, servers, security, components } = JSON.parse(
    (await send('/openapi.json', {})).body,
  ) as Openapi;
  const calls = Object.values(paths).flatMap((methods) => Object.values(methods));
  for (const { operationId, summary } of calls) {
    expect(operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(summary).not.toBe('');
  }
  expect(new Set(calls.map(({ operationId }) => operationId)).size).toBe(calls.length);
  expect(servers).toHaveLength(1);
  for (const name of security.flatMap(Object.keys))
    expect(components.securitySchemes).toHaveProperty(name);
});

interface Openapi {
  paths: Record<string, Record<string, { operationId: string; summary: string }>>;
  servers: object[];
  security: object[];
  components: { securitySchemes: object };
}

it('/openapi.json describes every call of the contract', async () => {
  const { paths } = JSON.parse((await send('/openapi.json', {})).body);
  const described = Object.entries<object>(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.sort()).toEqual(
    [
      ...['GET /', 'POST /bigtrace_execution_config', 'POST /trace_metadata_schema'],
      ...['POST /trace_metadata', 'POST /execute_bigtrace_query', 'GET /query_executions'],
      ...['POST /execute_bigtrace_query_async', 'GET /query_executions/{uuid}'],
      ...['GET /query_executions/{uuid}:status', 'POST /query_executions/{uuid}:fetch_results'],
      ...['POST /query_executions/{uuid}:cancel', 'DELETE /query_executions/{uuid}'],
      ...['GET /trace_presets', 'POST /check_table_exists', 'POST /experiments'],
      ...['POST /experiment_metadata', 'GET /trace/{id}/{name}', 'POST /refresh'],
      ...['GET /api/caller', 'GET /query_executions/{uuid}:download', 'POST /session/reset'],
    ].sort(),
  );
});
