/** The HTTP edge as it listens; there is no ClickHouse behind it. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PLAIN_EDGE } from '../common/edge-options.ts';
import { createLogger } from '../common/log.ts';
import { type RunningBackend, startBackend } from './index.ts';
import type { QueryWatch } from './watch.ts';

const watch: QueryWatch = {
  counts: () => undefined,
  failures: () => [],
  cancel: () => undefined,
  openTrace: () => Promise.reject(new Error('no trace is opened here')),
};

let backend: RunningBackend;
beforeAll(async () => {
  backend = await startBackend(
    {
      ...{ host: '127.0.0.1', port: 0, corsOrigins: [], presetsFile: undefined },
      edge: { ...PLAIN_EDGE, allowedHosts: ['bigtrace.example'] },
      ...{ clickhouseUrl: 'http://127.0.0.1:1', password: '', owner: 'test' },
    },
    watch,
    createLogger('test', 'silent'),
  );
});
afterAll(() => backend.close());

async function ask(
  path: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number | undefined; body: string }> {
  const request = httpRequest(`${backend.url}${path}`, { method, headers }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: Buffer.concat(await response.toArray()).toString() };
}

it.each([
  ...['/', '/v1/', '/openapi.json', '/trace_presets', '/query_executions', '/trace/L2xvY2FsL2E/a'],
  '/nowhere',
])('a page whose own name points here reads nothing of %s', async (path) => {
  for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'DELETE']) {
    const { status, body } = await ask(path, { host: 'evil.example:5001' }, method);
    expect([method, status]).toEqual([method, 403]);
    if (method !== 'HEAD')
      expect(JSON.parse(body)).toEqual({
        detail: 'evil.example:5001 is not a name of this service; --allowed-hosts adds names',
      });
  }
});

it.each(['127.0.0.1', '10.1.2.3:5001', '[::1]:5001', 'localhost:5001', 'bigtrace.example'])(
  'is called %s',
  async (host) => {
    expect((await ask('/trace_presets', { host })).status).toBe(200);
  },
);

it('a page of a name that is allowed may ask as its own', async () => {
  const asked = (origin: string) =>
    ask('/bigtrace_execution_config', { host: 'bigtrace.example', origin }, 'POST');
  expect((await asked('http://bigtrace.example')).status).toBe(200);
  expect((await asked('http://evil.example')).status).toBe(403);
});
