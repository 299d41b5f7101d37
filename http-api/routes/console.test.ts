import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLogger } from '../../lib/common/observability/log.ts';
import { VERSION } from '../../lib/common/version.ts';
import { addCors } from '../cors.ts';
import { HttpError, statusOf } from '../http-error.ts';
import { addConsoleRoutes } from './console.ts';
import { addConsoleFiles } from './console-files.ts';

const PROGRESS = {
  ...{ tracesTotal: 9, totalIsFinal: true, tracesDone: 4, tracesFailed: 1 },
  ...{ rows: 70, resultBytes: 700, traceBytes: 7000, elapsedMs: 1200 },
  ...{ coreMs: 2500, tracesRemembered: 1, tracesLoaded: 0, tracesRestored: 1, tracesParsed: 2 },
};

const STATE = {
  ...{ tracesWaiting: 3, tracesInFlight: 2, counters: { queries: 1 } },
  workers: [{ address: '127.0.0.1:1', state: 'connecting', status: null }],
  queries: [
    {
      ...{ queryId: 'q', user: 'bob', sql: 'SELECT 1', findsColumns: false },
      ...{ startedMs: 5, progress: PROGRESS },
    },
  ],
};

const VOCABULARY = {
  engine: 'Perfetto v55.3 abc',
  modules: [
    {
      name: 'slices.with_context',
      tables: [
        {
          ...{ name: 'thread_slice', isView: true, about: 'All thread slices.' },
          columns: [{ name: 'id', type: 'ID', about: 'Slice' }],
        },
      ],
      functions: [],
    },
  ],
};

const HTML = { accept: 'text/html,application/xhtml+xml' };

let directory = '';
let app: FastifyInstance;
let cancelled: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bigtrace-console-'));
  writeFileSync(join(directory, 'index.html'), '<!doctype html>');
  writeFileSync(join(directory, 'console.js'), 'true;');
  writeFileSync(join(directory, 'notes.txt'), 'not for everybody');
  cancelled = [];
  app = Fastify();
  app.setErrorHandler(async (thrown, _request, reply) =>
    reply.code(statusOf(thrown)).send({ detail: thrown instanceof Error ? thrown.message : '' }),
  );
  addCors(app, []);
  addConsoleFiles(app, pathToFileURL(`${directory}/`), createLogger('test', 'silent'));
  app.get('/', async () => ({ status: 'ok' }));
  const system = {
    state: async () => STATE,
    recentFailures: async () => [
      { queryId: 'q', trace: '/local/a', code: 'trace_invalid', message: 'cut', timeMs: 7 },
    ],
    vocabulary: async (engine: string) => ({ ...VOCABULARY, engineName: engine }),
    cancel: async (id: string) => (id === 'a/b?c' ? cancelled.push(id) : 0),
  };
  const executor = {
    find: async (id: string) => {
      throw new HttpError(404, `there is no query ${id}`);
    },
    cancel: async () => undefined,
  };
  const options = {
    directory: new URL('file:///'),
    system,
    supersetUrl: undefined,
    perfettoUi: 'http://ui',
    servedUi: undefined,
  };
  addConsoleRoutes(app, options, executor, 'http://db:8123');
});
afterEach(async () => {
  await app.close();
  rmSync(directory, { recursive: true });
});

it('returns the console to browsers and the service status to other clients', async () => {
  const page = await app.inject({ url: '/', headers: HTML });
  expect(page.body).toBe('<!doctype html>');
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  const program = await app.inject({ url: '/', headers: { accept: '*/*' } });
  expect(program.json()).toEqual({ status: 'ok' });
  for (const { headers } of [page, program]) expect(headers['vary']).toBe('Origin, Accept');
});

it("sends a content security policy that allows only the console's own files", async () => {
  const { headers } = await app.inject({ url: '/', headers: HTML });
  expect(headers['content-security-policy']).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(headers['x-content-type-options']).toBe('nosniff');
});

it('returns 304 for a file that the browser has already', async () => {
  const first = await app.inject('/console.js');
  expect([first.statusCode, first.body]).toEqual([200, 'true;']);
  const etag = String(first.headers['etag']);
  const second = await app.inject({ url: '/console.js', headers: { 'if-none-match': etag } });
  expect([second.statusCode, second.body]).toEqual([304, '']);
});

it.each(['/notes.txt', '/../package.json', '/%2e%2e/package.json', '/console.js/'])(
  'has no file %s',
  async (url) => {
    expect((await app.inject(url)).statusCode).toBe(404);
  },
);

it('returns the state of the system', async () => {
  expect((await app.inject('/api/state')).json()).toEqual({
    version: VERSION,
    clickhouseUrl: 'http://db:8123',
    ...STATE,
  });
});

it('returns the names that scripts can use on an engine', async () => {
  const answer = await app.inject('/api/vocabulary?engine=v52');
  expect(answer.json()).toEqual({ ...VOCABULARY, engineName: 'v52' });
  expect((await app.inject('/api/vocabulary')).json()).toEqual({ ...VOCABULARY, engineName: '' });
});

it('returns the reasons for failed traces', async () => {
  expect((await app.inject('/api/failures')).json()).toEqual({
    reasons: [
      {
        ...{ code: 'trace_invalid', message: 'cut', count: 1, queries: 1, lastMs: 7 },
        traces: ['/local/a'],
      },
    ],
  });
});

it('cancels a query whose ID has special characters', async () => {
  const url = `/api/queries/${encodeURIComponent('a/b?c')}/cancel`;
  const { statusCode } = await app.inject({ method: 'POST', url, payload: {} });
  expect(statusCode).toBe(200);
  expect(cancelled).toEqual(['a/b?c']);
  const other = await app.inject({ method: 'POST', url: '/api/queries/x/cancel', payload: {} });
  expect([other.statusCode, other.json()]).toEqual([404, { detail: 'query x is not running' }]);
});

it('rejects a cancel request whose body is not JSON', async () => {
  const url = `/api/queries/${encodeURIComponent('a/b?c')}/cancel`;
  const headers = { 'content-type': 'text/plain' };
  const { statusCode } = await app.inject({ method: 'POST', url, headers, payload: '{}' });
  expect(statusCode).toBe(400);
  expect(cancelled).toEqual([]);
});

it.each(['https://elsewhere.example', 'null'])(
  'rejects a cancel request from origin %s',
  async (origin) => {
    const url = `/api/queries/${encodeURIComponent('a/b?c')}/cancel`;
    const headers = { origin, 'content-type': 'text/plain' };
    const { statusCode } = await app.inject({ method: 'POST', url, headers, payload: '{}' });
    expect(statusCode).toBe(403);
    expect(cancelled).toEqual([]);
  },
);
