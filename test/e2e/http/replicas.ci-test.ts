/**
 * Tests two replicas of the HTTP API and two orchestrators, of which ClickHouse uses one: each replica is right about
 * every query, and a page loses nothing if one of the services is killed at each of its steps.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { BigtracePage, index, valuesOf, writeTraces } from '../../harness/http-page.ts';
import { type System, startSystem } from '../../harness/system.ts';

let system: System;
const services: ChildProcess[] = [];
/** The HTTP API of `bigtrace up`, which knows one orchestrator, and a replica that knows both. */
let first: BigtracePage;
let other: BigtracePage;
/** The orchestrator that ClickHouse does not use, and the second replica. */
let idle: Service;
let second: Service;

/** Two replicas that require a token, and believe the header X-User of a proxy. */
let secured: { http: string }[];
let tokenFile = '';

interface Service {
  child: ChildProcess;
  args: string[];
  /** `host:port` */
  address: string;
  http: string;
}

/** Starts a service and waits until it is ready. */
function start(...args: string[]): Promise<Service> {
  return startAt('127.0.0.1:0', args);
}

async function startAt(socket: string, args: string[]): Promise<Service> {
  const flags = ['--json', '--log-level', 'warn', '-s', socket];
  const child = spawn(process.execPath, [join(ROOT, 'cli/bigtrace.mjs'), ...args, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  services.push(child);
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, args, ...JSON.parse(String(line)) };
}

/** Kills a service, and starts it again. */
async function killAndRestart({ child, args, address }: Service): Promise<Service> {
  child.kill('SIGKILL');
  await once(child, 'exit');
  return startAt(address, args);
}

beforeAll(async () => {
  const traces = writeTraces({ 'a.json': ['one', 'two'], 'b.json': ['three'] });
  writeFileSync(join(traces, 'bad.json'), '{"traceEvents":[{"ph":"X","name":"cut');
  // A bridge repeats a query whose orchestrator is lost if it knows of others.
  const env = { BIGTRACE_PEERS: 'dns:///localhost:1' };
  system = await startSystem({ traces, workers: 3, threads: 1, env });
  idle = await start('orchestrator', '-l', system.workers.join(','));
  first = new BigtracePage(system);
  const replica = [
    ...['http-api', '--orchestrator', `${idle.address},${system.orchestrator}`],
    ...['--clickhouse', system.clickhouseHttp],
    ...['--service-password-file', join(system.dataDir, 'service.password')],
  ];
  second = await start(...replica);
  other = new BigtracePage(second);
  tokenFile = join(system.dataDir, 'http.token');
  writeFileSync(tokenFile, 'sesame\n');
  const proxied = ['--trusted-proxies', '127.0.0.1', '--trusted-user-header', 'X-User'];
  secured = await Promise.all(
    [1, 2].map(() => start(...replica, '--token-file', tokenFile, ...proxied)),
  );
});
afterAll(async () => {
  for (const child of services) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  await system?.stop();
});

const SQL = { perfetto_sql: 'SELECT name FROM slice ORDER BY name', limit: 100 };
const ENDLESS = 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t';
const STRICT = [{ setting_id: 'on_failure', values: ['strict'] }];
const traces = (...values: string[]) => ({ setting_id: 'traces', values });

test('both replicas return the same rows, history, progress and status', async () => {
  const settings = [traces('/local/[ab].json'), ...STRICT];
  const { uuid, status } = await other.run({ ...SQL, settings });
  expect(status).toEqual({
    status: 'SUCCESS',
    processedRows: 3,
    processedTraces: 2,
    totalTraces: 2,
    cost: expect.objectContaining({ coreMs: expect.any(Number) }),
  });
  // Column finding has read and parsed both traces; the query has their results, or reads them again elsewhere.
  const { coreMs, traceBytes, ...tiers } = status.cost;
  expect(coreMs).toBeGreaterThan(0);
  expect(traceBytes).toBeGreaterThanOrEqual(159 + 90);
  expect(Object.values(tiers).reduce((sum: number, count) => sum + Number(count), 0)).toBe(2);
  for (const page of [first, other]) {
    const { body } = await page.post(`/query_executions/${uuid}:fetch_results`, {
      ...{ limit: 10, offset: 0, order_by: 'name', columns: ['name'] },
    });
    expect(valuesOf(body).flat()).toEqual(['one', 'three', 'two']);
    expect((await page.get(`/query_executions/${uuid}:status`)).body).toEqual(status);
    expect((await page.get('/query_executions')).body.queryExecutions[0].queryUuid).toBe(uuid);
  }
});

test('each replica names the traces that failed', async () => {
  const settings = [traces('/local/*.json')];
  for (const page of [first, other]) {
    const { status } = await page.run({ ...SQL, settings });
    expect(status).toMatchObject({ status: 'SUCCESS', processedRows: 3, totalTraces: 3 });
    expect(status.errorMessage).toMatch(/^1 of 3 traces failed: \[\/local\/bad\.json\]/);
  }
});

test('the state has the workers once, although two orchestrators report them', async () => {
  const { workers } = (await other.get('/api/state')).body;
  expect(workers.map(({ address }: { address: string }) => address).sort()).toEqual(
    [...system.workers].sort(),
  );
});

test('each replica can cancel the queries of the other', async () => {
  for (const [queried, reporting] of [
    [first, other],
    [other, first],
  ] as const) {
    const body = {
      perfetto_sql: ENDLESS,
      limit: 1_000_000_000,
      settings: [traces('/local/a.json')],
    };
    const { queryUuid } = (await queried.post('/execute_bigtrace_query_async', body)).body;
    await reporting.until(queryUuid, ({ status }) => status === 'IN_PROGRESS');
    await reporting.post(`/query_executions/${queryUuid}:cancel`, {});
    for (const page of [queried, reporting])
      expect((await page.until(queryUuid, ({ status }) => status !== 'IN_PROGRESS')).status).toBe(
        'CANCELLED',
      );
    await expect
      .poll(() =>
        system.sql(`SELECT count() FROM bigtrace.progress WHERE query_id = '${queryUuid}'`),
      )
      .toBe('0\n');
  }
});

/** Logs in at a replica and returns the cookie. */
async function logIn(base: string, name: string): Promise<string> {
  const response = await fetch(`${base}/login`, {
    method: 'POST',
    body: new URLSearchParams({ name, token: 'sesame', next: '' }),
    redirect: 'manual',
  });
  expect([response.status, response.headers.get('location')]).toEqual([303, '/']);
  return response.headers.get('set-cookie')?.split(';')[0] ?? '';
}

/** Returns the status and the body of who the replica says one is, when it says so with `status`. */
async function callerUntil(base: string, cookie: string, status: number): Promise<unknown> {
  for (;;) {
    const response = await fetch(`${base}/api/caller`, { headers: { cookie } });
    const body = await response.json();
    if (response.status === status) return body;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

test('a login at one replica counts at the other, until its user logs out or another thousand log in', async () => {
  const [a = { http: '' }, b = { http: '' }] = secured;
  const cookie = await logIn(a.http, 'Ann');
  for (const { http } of secured)
    expect(await callerUntil(http, cookie, 200)).toEqual({ user: 'http-login:Ann', isLogin: true });
  const page = new BigtracePage(b);
  const headers = { cookie, origin: b.http };
  expect((await page.post('/logout', {}, { headers })).status).toBe(200);
  const refused = { detail: 'the bearer token is missing or wrong' };
  for (const { http } of secured) expect(await callerUntil(http, cookie, 401)).toEqual(refused);

  const old = await logIn(a.http, 'Bob');
  await system.sql(
    `INSERT INTO bigtrace.http_logins (id, name, began, expires, ended)
     SELECT toString(number), 'other', now64(3) + 1, now64(3) + 60, 0 FROM numbers(1000)`,
    { user: 'admin' },
  );
  expect(await callerUntil(b.http, old, 401)).toEqual(refused);
});

test('who asked is the user of the query in the history, at the orchestrator and in its failures', async () => {
  const [{ http } = { http: '' }] = secured;
  const page = new BigtracePage({ http });
  const headers = { 'X-User': "ann'\\{}" };
  const user = `http-user:${headers['X-User']}`;
  const body = { perfetto_sql: ENDLESS, settings: [traces('/local/a.json')], limit: 1_000_000_000 };
  const { queryUuid } = (await page.post('/execute_bigtrace_query_async', body, { headers })).body;
  const users = `SELECT DISTINCT user FROM bigtrace.progress WHERE query_id = '${queryUuid}' FORMAT JSONCompactEachRow`;
  await expect
    .poll(() => system.sql(users), { timeout: 60_000 })
    .toBe(`${JSON.stringify([user])}\n`);
  const { body: execution } = await page.get(`/query_executions/${queryUuid}`, { headers });
  expect(execution.user).toBe(user);
  await page.post(`/query_executions/${queryUuid}:cancel`, {}, { headers });
});

test("what a user's script defines runs before later scripts of that user in that browser, at any replica", async () => {
  const [a = { http: '' }, b = { http: '' }] = secured;
  const settings = [traces('/local/a.json')];
  const ask = async (
    http: string,
    sql: string,
    headers: Record<string, string>,
    more = settings,
  ) => {
    const body = { perfetto_sql: sql, limit: 10, settings: more };
    const page = new BigtracePage({ http });
    const { body: answer, headers: sent } = await page.post('/execute_bigtrace_query', body, {
      headers,
    });
    return { answer, cookie: sent.get('set-cookie')?.split(';')[0] ?? '' };
  };
  const plusOne = 'CREATE PERFETTO FUNCTION plus_one(x LONG) RETURNS LONG AS SELECT $x + 1';
  const use = 'SELECT plus_one(41) AS n';
  const missing = { detail: expect.stringContaining('no such function: plus_one') };
  const ann = { 'X-User': 'ann' };
  const { answer, cookie } = await ask(a.http, `${plusOne};`, ann);
  expect(answer).toMatchObject({ columnNames: ['_trace_address', 'defined'], rows: [] });
  expect(cookie).toMatch(/^bigtrace_session=[\w-]{22}$/);

  const used = (await ask(b.http, use, { ...ann, cookie })).answer;
  expect(valuesOf(used)).toEqual([['/local/a.json', '42']]);
  const { body: history } = await new BigtracePage(a).get(`/query_executions/${used.queryUuid}`, {
    headers: ann,
  });
  expect(history).toMatchObject({
    perfettoSql: use,
    prelude: `${plusOne};\n`,
    user: 'http-user:ann',
  });
  const again = `${plusOne}; SELECT plus_one(1) AS n`;
  expect(valuesOf((await ask(a.http, again, { ...ann, cookie })).answer)).toEqual([
    ['/local/a.json', '2'],
  ]);

  const off = { setting_id: 'session', values: ['off'] };
  expect((await ask(a.http, use, { ...ann, cookie }, [...settings, off])).answer).toEqual(missing);
  expect((await ask(a.http, use, { 'X-User': 'bob', cookie })).answer).toEqual(missing);
  expect((await ask(a.http, use, ann)).answer).toEqual(missing);
  const program = { authorization: 'Bearer sesame', cookie };
  expect(await ask(a.http, use, program)).toEqual({ answer: missing, cookie: '' });

  const reset = await new BigtracePage(b).post(
    '/session/reset',
    {},
    { headers: { ...ann, cookie } },
  );
  const fresh = reset.headers.get('set-cookie')?.split(';')[0] ?? '';
  expect([reset.status, reset.body]).toEqual([200, {}]);
  expect((await ask(a.http, use, { ...ann, cookie: fresh })).answer).toEqual(missing);
});

test('a ClickHouse user cannot name another user by the setting that the HTTP API uses', async () => {
  const sql = `SELECT count() FROM bigtrace(traces=['/local/a.json'], sql='${'SELECT 1 FROM nowhere'}')`;
  const settings = { log_comment: '{"user": "http-user:ann"}', query_id: 'claims' };
  await expect(system.sql(sql, { settings })).rejects.toThrow('no such table: nowhere');
  const found = "SELECT DISTINCT user FROM bigtrace.failures WHERE query_id = 'claims'";
  expect(await system.sql(found)).toBe('analyst\n');
});

test('a page loses nothing if one of the services is killed at each of its steps', async () => {
  await index(system);
  const page = new BigtracePage(system, second);
  const kill = async (victim: string): Promise<void> => {
    if (victim === 'second replica') second = await killAndRestart(second);
    else if (victim === 'second orchestrator') idle = await killAndRestart(idle);
    else {
      const pid = system.processes.find(({ name }) => name === victim)?.pid;
      if (pid === undefined) throw new Error(`there is no process ${victim}`);
      process.kill(pid, 'SIGKILL');
    }
  };
  /** Takes a step of the page while the victim dies. */
  const step = async <T>(victim: string, work: () => Promise<T>): Promise<T> => {
    const [done] = await Promise.all([work(), kill(victim)]);
    return done;
  };
  const settings = [traces('/local/[ab].json')];
  const query = { ...SQL, settings, trace_metadata_columns: ['size'], table_name: 'kept' };
  const home = await step('second replica', () => page.get('/'));
  expect(home).toMatchObject({ status: 200, body: { status: 'ok', traceCount: 3 } });
  const presets = await step('http-api', () => page.get('/trace_presets'));
  expect(presets.body.tracePresets.length).toBeGreaterThan(10);
  const config = await step('second orchestrator', () =>
    page.post('/bigtrace_execution_config', {}),
  );
  expect(config.body.setting[0].id).toBe('traces');
  const schema = await step('worker-1', () => page.post('/trace_metadata_schema', { settings }));
  expect(schema.body.columns.map(({ name }: { name: string }) => name)).toContain('size');
  const columns = ['address', 'size'];
  const grid = await step('second replica', () =>
    page.post('/trace_metadata', { settings, columns, order_by: 'address' }),
  );
  expect(valuesOf(grid.body)).toEqual([
    ['/local/a.json', '159'],
    ['/local/b.json', '90'],
  ]);
  const uuid = await step('second replica', () => submitted(page, query));
  const ended = await step('worker-2', () => untilEnded(page, uuid));
  expect(ended).toEqual({
    ...{ status: 'SUCCESS', processedRows: 3, processedTraces: 2, totalTraces: 2 },
    cost: expect.objectContaining({ coreMs: expect.any(Number) }),
  });
  const results = `/query_executions/${uuid}:fetch_results`;
  const rows = async (victim: string, request: object): Promise<unknown> =>
    valuesOf(
      (await step(victim, () => page.post(results, { columns: ['name'], ...request }))).body,
    );
  const filters = [{ field: 'size', op: '=', value: '159' }];
  expect(await rows('second orchestrator', { filters })).toEqual([['one'], ['two']]);
  expect(await rows('second replica', { order_by: 'name desc' })).toEqual([
    ...[['two'], ['three'], ['one']],
  ]);
  expect(await rows('worker-3', { order_by: 'name', limit: 1, offset: 1 })).toEqual([['three']]);
  const endless = await submitted(page, {
    ...{ perfetto_sql: ENDLESS, limit: 1_000_000_000, settings, table_name: 'endless' },
  });
  await step('orchestrator', () => page.post(`/query_executions/${endless}:cancel`, {}));
  const cancelled = await untilEnded(page, endless);
  expect(['CANCELLED', 'FAILED']).toContain(cancelled.status); // FAILED: the orchestrator died first
  const { body } = await step('second orchestrator', () => page.get('/query_executions'));
  const history = new Map(
    body.queryExecutions.map((one: { queryUuid: string; status: string }) => [
      ...[one.queryUuid, one.status],
    ]),
  );
  expect([history.get(uuid), history.get(endless)]).toEqual(['SUCCESS', cancelled.status]);
  for (const [name, id] of [
    ['kept', uuid],
    ['endless', endless],
  ]) {
    const path = `/query_executions/${id}?drop_table=true`;
    expect((await step('second replica', () => page.delete(path))).status).toBe(200);
    const table = await page.post('/check_table_exists', { table_name: name });
    expect(table.body.exists).toBe(false);
    expect((await page.get(`/query_executions/${id}`)).status).toBe(404);
  }
});

/** Submits a query. If the replica died after it had accepted it, another one says which query has the table name. */
async function submitted(page: BigtracePage, query: object): Promise<string> {
  const { body } = await page.post('/execute_bigtrace_query_async', query);
  return (
    body.queryUuid ?? /is of query (\S+);/.exec(body.detail)?.[1] ?? `no query: ${body.detail}`
  );
}

async function untilEnded(page: BigtracePage, uuid: string): Promise<{ status: string }> {
  return page.until(uuid, ({ status }) => status !== 'IN_PROGRESS');
}
