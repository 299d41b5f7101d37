/** Tests of logins and trusted proxies without ClickHouse. test/e2e/http/replicas.ci-test.ts has the table of logins. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import { SecretFile } from '../../lib/common/network/secret-file.ts';
import { PLAINTEXT_SERVER } from '../../lib/common/options/server-security-options.ts';
import { baseReader, proxyCheck } from '../base.ts';
import { addCors } from '../cors.ts';
import { statusOf } from '../http-error.ts';
import { LoginAttempts, networkOf, OF_ADDRESS_MAX, OF_NAME_MAX } from './attempts.ts';
import { addAuthentication } from './authentication.ts';
import { sealed, unsealed } from './login-cookie.ts';
import { Logins } from './logins.ts';
import { addLoginRoutes, ownPath } from './routes.ts';

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-login-'));
afterAll(() => rmSync(directory, { recursive: true }));
const tokenFile = join(directory, 'token');

const HOST = 'bigtrace.example';
const OWN = { host: HOST, origin: `http://${HOST}` };
const FORM = { ...OWN, 'content-type': 'application/x-www-form-urlencoded' };

/** Stands in for the table of logins. */
class Table {
  readonly live = new Set<string>();
  isReachable = true;

  async command(sql: string): Promise<void> {
    const ended = /WHERE id = '([^']+)'/.exec(sql)?.[1];
    if (ended !== undefined) this.live.delete(ended);
    else this.live.add(/SELECT '([^']+)'/.exec(sql)?.[1] ?? '');
  }

  async count(sql: string): Promise<number> {
    if (!this.isReachable) throw new BigtraceError('catalog_failed', 'cannot reach ClickHouse');
    return this.live.has(/WHERE id = '([^']+)'/.exec(sql)?.[1] ?? '') ? 1 : 0;
  }
}

let table: Table;
let app: FastifyInstance;
const apps: FastifyInstance[] = [];

interface Options {
  hasToken?: boolean;
  trustedUserHeader?: string;
  publicUrl?: string;
}

function replica({ hasToken = true, trustedUserHeader, publicUrl }: Options = {}): FastifyInstance {
  const isProxy = proxyCheck(['127.0.0.1']);
  const server = Fastify({ trustProxy: isProxy });
  server.setErrorHandler(async (thrown, _request, reply) =>
    reply.code(statusOf(thrown)).send({ detail: thrown instanceof Error ? thrown.message : '' }),
  );
  const token = new SecretFile(tokenFile);
  const parts = {
    ...{ isProxy, corsOrigins: [], trustedUserHeader },
    serverSecurity: hasToken ? { ...PLAINTEXT_SERVER, tokenFile } : PLAINTEXT_SERVER,
    baseOf: baseReader(publicUrl, isProxy),
    logins: hasToken
      ? new Logins({ database: table, token: () => token.text, lifeMs: 60_000 })
      : undefined,
  };
  addCors(server, []);
  addAuthentication(server, parts);
  addLoginRoutes(server, parts);
  server.get('/bigtrace/', async () => 'the page');
  server.post('/work', async () => ({}));
  apps.push(server);
  return server;
}

beforeEach(() => {
  writeFileSync(tokenFile, 'sesame\n');
  table = new Table();
  app = replica();
});
afterEach(async () => {
  for (const one of apps.splice(0)) await one.close();
});

function logIn(server: FastifyInstance, form: Record<string, string>, headers: object = FORM) {
  const payload = new URLSearchParams(form).toString();
  return server.inject({ method: 'POST', url: '/login', headers: { ...headers }, payload });
}

async function cookieOf(server: FastifyInstance): Promise<string> {
  const { headers } = await logIn(server, { name: 'Ann', token: 'sesame', next: '' });
  return String(headers['set-cookie']).split(';')[0] ?? '';
}

async function callerAt(server: FastifyInstance, headers: Record<string, string>) {
  const response = await server.inject({
    url: '/api/caller',
    headers: { host: HOST, ...headers },
  });
  return [response.statusCode, response.json()];
}

const REFUSED = [401, { detail: 'the bearer token is missing or wrong' }];

test('the right token begins a login: the cookie is out of reach of scripts and of other sites', async () => {
  const { statusCode, headers } = await logIn(app, {
    ...{ name: ' Ann ', token: 'sesame', next: 'bigtrace/?a=1#b' },
  });
  expect([statusCode, headers['location']]).toEqual([303, '/bigtrace/?a=1#b']);
  expect(headers['set-cookie']).toMatch(
    /^bigtrace_login=[\w-]+\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  const cookie = String(headers['set-cookie']).split(';')[0] ?? '';
  const answer = [200, { user: 'http-login:Ann', isLogin: true }];
  expect(await callerAt(app, { cookie })).toEqual(answer);
  expect(await callerAt(replica(), { cookie: `a=b; ${cookie}` })).toEqual(answer);
});

test('behind HTTPS and a prefix, the cookie is sent over HTTPS only, and to the pages below the prefix', async () => {
  const server = replica({ publicUrl: `https://${HOST}/fleet/` });
  const { headers } = await logIn(server, { name: 'Ann', token: 'sesame', next: 'open/x' });
  expect(headers['location']).toBe('/fleet/open/x');
  expect(headers['set-cookie']).toContain('; Path=/fleet/; HttpOnly; SameSite=Strict; Secure');
});

test('a wrong token, a missing name and a long one begin no login', async () => {
  for (const [form, status, problem] of [
    [{ name: 'Ann', token: 'sesamE' }, 401, 'The token is wrong.'],
    [{ name: ' ', token: 'sesame' }, 400, 'The name must have 1 to 100 characters.'],
    [{ name: 'x'.repeat(101), token: 'sesame' }, 400, 'The name must have 1 to 100 characters.'],
  ] as const) {
    const { statusCode, headers, body } = await logIn(app, form);
    expect([statusCode, headers['set-cookie']]).toEqual([status, undefined]);
    expect(body).toContain(`<p role="alert">${problem}</p>`);
  }
});

test('an address has few attempts under each name, and some more under all', async () => {
  const attempt = async (ip: string, name: string, token = 'x') => {
    const headers = { ...FORM, 'x-forwarded-for': ip };
    const { statusCode, headers: sent, body } = await logIn(app, { name, token }, headers);
    const [problem] = /(?<=alert">)[^<]*/.exec(body) ?? [];
    return [statusCode, sent['retry-after'], problem];
  };
  const problem = 'Too many attempts with a wrong token. Try again in 60 s.';
  const refused = [429, '60', problem];
  for (let at = 0; at < OF_NAME_MAX; at++) expect((await attempt('10.0.0.1', 'Ann'))[0]).toBe(401);
  expect(await attempt('10.0.0.1', 'Ann', 'sesame')).toEqual(refused);
  expect((await attempt('10.0.0.1', 'Bob', 'sesame'))[0]).toBe(303);
  expect((await attempt('10.0.0.2', 'Ann', 'sesame'))[0]).toBe(303);
  for (let at = OF_NAME_MAX; at < OF_ADDRESS_MAX; at++)
    expect((await attempt('10.0.0.1', `name ${at}`))[0]).toBe(401);
  expect(await attempt('10.0.0.1', 'Bob', 'sesame')).toEqual(refused);
});

test('after a minute an address may try again', () => {
  let nowMs = 5;
  const attempts = new LoginAttempts(() => nowMs);
  const fail = (): void => attempts.failed('2001:db8::1', 'Ann');
  for (let at = 0; at < OF_NAME_MAX; at++) {
    expect(attempts.waitS('2001:db8::1', 'Ann')).toBe(0);
    fail();
    nowMs += 10_000;
  }
  expect(attempts.waitS('2001:db8:0:0:7::9', 'Ann')).toBe(10);
  nowMs += 10_000;
  expect(attempts.waitS('2001:db8::1', 'Ann')).toBe(0);
  fail();
  expect(attempts.waitS('2001:db8::1', 'Ann')).toBe(0);
});

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::1', '0:0:0:0'],
  ['2001:db8::', '2001:db8:0:0'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
])('the address %s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test('a login that ClickHouse lists again counts again', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const cookie = await cookieOf(app);
    const live = [...table.live];
    table.live.clear(); // a thousand newer logins
    expect(await callerAt(app, { cookie })).toEqual(REFUSED);
    for (const id of live) table.live.add(id);
    expect(await callerAt(app, { cookie })).toEqual(REFUSED);
    vi.setSystemTime(Date.now() + 5001);
    expect((await callerAt(app, { cookie }))[0]).toBe(200);
  } finally {
    vi.useRealTimers();
  }
});

test.each(['http://elsewhere.example', 'http://localhost:3000', 'null'])(
  'a form of a page from %s begins no login',
  async (origin) => {
    const form = { name: 'Ann', token: 'sesame' };
    const { statusCode, headers } = await logIn(app, form, { ...FORM, origin });
    expect([statusCode, headers['set-cookie']]).toEqual([403, undefined]);
  },
);

test('a cookie does not count in a request of a page that another program serves', async () => {
  const cookie = await cookieOf(app);
  expect(await callerAt(app, { cookie, origin: 'http://localhost:3000' })).toEqual(REFUSED);
  const headers = { host: HOST, cookie, origin: 'http://localhost:3000' };
  const { statusCode } = await app.inject({ method: 'POST', url: '/work', headers, payload: {} });
  expect(statusCode).toBe(401);
});

test('only the login page accepts forms', async () => {
  const cookie = await cookieOf(app);
  const headers = { ...FORM, cookie };
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/work',
    headers,
    payload: 'a=b',
  });
  expect(statusCode).toBe(415);
});

test('a logout ends the login at every replica, and deletes the cookie', async () => {
  const cookie = await cookieOf(app);
  const { statusCode, headers } = await app.inject({
    ...{ method: 'POST', url: '/logout', headers: { ...OWN, cookie }, payload: {} },
  });
  expect([statusCode, headers['set-cookie']]).toEqual([
    200,
    'bigtrace_login=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0',
  ]);
  expect(await callerAt(app, { cookie })).toEqual(REFUSED);
  expect(await callerAt(replica(), { cookie })).toEqual(REFUSED);
});

test('a logout counts at once, although a request of the same login is being looked up', async () => {
  const logins = new Logins({ database: table, token: () => 'sesame', lifeMs: 60_000 });
  const cookie = await logins.begin('Ann');
  const id = String([...table.live][0]);
  const looked = vi.spyOn(table, 'count').mockImplementationOnce(async () => {
    await logins.end(id);
    return 1; // as ClickHouse said before the logout
  });
  expect(await logins.find(cookie)).toBeUndefined();
  expect(await logins.find(cookie)).toBeUndefined();
  expect(looked).toHaveBeenCalledTimes(1);
});

test('replacing the token ends all logins', async () => {
  const cookie = await cookieOf(app);
  expect((await callerAt(app, { cookie }))[0]).toBe(200);
  writeFileSync(tokenFile, 'another token\n');
  expect(await callerAt(app, { cookie })).toEqual(REFUSED);
});

test('a cookie that is changed, signed with another token or too old is no login', () => {
  const login = { id: 'i', name: 'Ann', expiresMs: 1000 };
  const value = sealed('sesame', login);
  expect(unsealed('sesame', value, 999)).toEqual(login);
  expect(unsealed('sesame', value, 1000)).toBeUndefined();
  expect(unsealed('sesamE', value, 0)).toBeUndefined();
  const [payload, signature] = value.split('.');
  const other = Buffer.from('["i","Bob",9000]').toString('base64url');
  for (const forged of [
    `${other}.${signature}`,
    `${payload}.`,
    `${payload}`,
    '',
    '.',
    `.${signature}`,
  ])
    expect(unsealed('sesame', forged, 0), forged).toBeUndefined();
});

test('a replica that has seen a login serves it while ClickHouse is unreachable; another one says why not', async () => {
  const cookie = await cookieOf(app);
  expect((await callerAt(app, { cookie }))[0]).toBe(200);
  table.isReachable = false;
  expect((await callerAt(app, { cookie }))[0]).toBe(200);
  expect(await callerAt(replica(), { cookie })).toEqual([
    503,
    { detail: 'cannot reach ClickHouse' },
  ]);
});

test('a browser without a login is sent to the login page, and from there to the page that it asked for', async () => {
  const headers = { host: HOST, accept: 'text/html,*/*', 'sec-fetch-mode': 'navigate' };
  const sent = await app.inject({ url: '/bigtrace/?a=1', headers });
  expect([sent.statusCode, sent.headers['location']]).toEqual([
    302,
    '/login?next=bigtrace%2F%3Fa%3D1',
  ]);
  const form = await app.inject({ url: String(sent.headers['location']), headers });
  expect([form.statusCode, form.headers['cache-control']]).toEqual([200, 'no-store']);
  expect(form.body).toContain('<input type="hidden" name="next" value="bigtrace/?a=1">');
  // A browser sends no cookie after a link on another site, so the page has it ask again.
  const linked = await app.inject({
    url: String(sent.headers['location']),
    headers: { ...headers, 'sec-fetch-site': 'cross-site' },
  });
  expect(linked.body).toContain(
    '<meta http-equiv="refresh" content="0;url=/login?next=bigtrace%2F%3Fa%3D1">',
  );
  const cookie = await cookieOf(app);
  const known = await app.inject({
    url: String(sent.headers['location']),
    headers: { ...headers, cookie },
  });
  expect(known.headers['location']).toBe('/bigtrace/?a=1');
});

test.each([
  ['', '', '/'],
  ['open/a-b#c', '', '/open/a-b#c'],
  ['open/a', '/fleet', '/fleet/open/a'],
  ['../other', '/fleet', '/fleet/'],
  ['//elsewhere.example/', '', '/'],
  ['/\\elsewhere.example/', '', '/'],
  ['https://elsewhere.example/', '', '/'],
  ['javascript:alert(1)', '', '/'],
  ['.//elsewhere.example', '', '/'],
])('after a login, next=%s below %s is the page %s', (next, path, expected) => {
  expect(ownPath(next, path)).toBe(expected);
});

test('the login page shows HTML in its input as text', async () => {
  const hostile = '"><script>alert(1)</script>';
  const { body } = await logIn(app, { name: hostile, token: 'x', next: hostile });
  expect(body).not.toContain('<script>');
});

test('a client with the token needs no login', async () => {
  expect(await callerAt(app, { authorization: 'Bearer sesame' })).toEqual([
    200,
    { user: 'http-address:127.0.0.1', isLogin: false },
  ]);
});

test('without a token there is no login', async () => {
  const server = replica({ hasToken: false });
  expect((await server.inject('/login')).statusCode).toBe(404);
  expect((await callerAt(server, {}))[0]).toBe(200);
});

test('the user header of a trusted proxy authenticates, that of others does not', async () => {
  const server = replica({ hasToken: false, trustedUserHeader: 'x-user' });
  expect(await callerAt(server, { 'x-user': Buffer.from('Jürgen').toString('latin1') })).toEqual([
    200,
    { user: 'http-user:Jürgen', isLogin: false },
  ]);
  const missing = [401, { detail: 'the header x-user of a trusted proxy is missing' }];
  expect(await callerAt(server, {})).toEqual(missing);
  expect(await callerAt(server, { 'x-user': ' ' })).toEqual(missing);
  expect(await callerAt(server, { 'x-user': 'ann', origin: 'http://localhost:3000' })).toEqual(
    missing,
  );
  const { statusCode } = await server.inject({
    ...{ url: '/api/caller', headers: { 'x-user': 'ann' }, remoteAddress: '10.0.0.1' },
  });
  expect(statusCode).toBe(401);
});

test('a user header that comes twice is refused: one of them may be of the client', async () => {
  const server = replica({ hasToken: false, trustedUserHeader: 'x-user' });
  await server.listen({ port: 0, host: '127.0.0.1' });
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { request } = await import('node:http');
  const status = await new Promise((resolve, reject) => {
    const headers = { 'X-User': ['admin', 'ann'] };
    request({ port, host: '127.0.0.1', path: '/api/caller', headers }, (response) =>
      resolve(response.resume().statusCode),
    )
      .on('error', reject)
      .end();
  });
  expect(status).toBe(400);
});
