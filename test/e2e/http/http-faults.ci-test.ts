/** Tests of the HTTP backend with failures during a query, with a million rows, and for downloads of traces. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { BigtracePage, index, valuesOf, writeTraces } from '../../harness/http-page.ts';
import { gone, type System, startSystem } from '../../harness/system.ts';

let system: System;
let page: BigtracePage;
let traces: string;

/** The script never ends on one of 40 traces, which column finding does not use; the others take a moment each. */
const NAMES = Array.from({ length: 40 }, (_, at) => `${String(at).padStart(2, '0')}.json`);
const ENDLESS = `
  SELECT name, dur FROM slice
  UNION ALL
  SELECT 'last', max(n) FROM (
    WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)
    SELECT n FROM t LIMIT (SELECT iif(count(*) > 0, -1, 400000) FROM slice WHERE name = 'endless'))`;
const ENDLESS_QUERY = { limit: 1000, perfetto_sql: ENDLESS };

const MILLION = 1_000_000;
const MANY = `WITH RECURSIVE t(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM t WHERE n < ${MILLION - 1})
  SELECT n, n * 7919 % ${MILLION} AS mixed, 'row ' || n AS text FROM t`;

beforeAll(async () => {
  traces = writeTraces(
    Object.fromEntries(NAMES.map((name, at) => [name, at === 1 ? ['endless'] : ['some']])),
  );
  system = await startSystem({ traces, workers: 3, threads: 1 });
  page = new BigtracePage(system);
});
afterAll(() => system?.stop());

/** Makes the calls of the page in its order: opening it, running a query, reading results, deleting the query. */
test('the calls of a session of Perfetto’s page return the expected responses', async () => {
  await index(system);
  const headers = { Origin: 'https://ui.perfetto.dev' };
  const post = (path: string, body: object) => page.post(`/${path}`, body, { headers });
  const get = (path: string) => page.get(`/${path}`, { headers });
  const { setting } = (await post('/bigtrace_execution_config', {})).body;
  const address = setting.find(
    ({ category }: { category: string }) => category === 'TRACE_ADDRESS',
  );
  const settings = [
    {
      setting_id: address.id,
      values: address.stringArray.defaultValues,
      category: address.category,
    },
  ];
  expect((await get('/query_executions')).body).toEqual({ queryExecutions: [] });
  expect((await get('/trace_presets')).body.tracePresets.length).toBeGreaterThan(0);
  const { columns } = (await post('/trace_metadata_schema', { settings })).body;
  const visible = columns
    .filter((one: { defaultVisible: boolean }) => one.defaultVisible)
    .map((one: { name: string }) => one.name);
  const grid = { settings, limit: 50, offset: 0, columns: visible };
  expect((await post('/trace_metadata', grid)).body).toMatchObject({
    columnNames: visible,
    totalFilteredRows: 40,
  });
  const filters = [{ field: 'address', op: 'glob', value: '*[2-3][0-9].json' }];
  expect((await post('/trace_metadata', { ...grid, filters })).body.totalFilteredRows).toBe(20);
  const submitted = await post('/execute_bigtrace_query_async', {
    ...{ limit: 1000, perfetto_sql: 'SELECT name, dur FROM slice', settings },
    ...{ trace_filters: filters, trace_metadata_columns: ['size'], trace_order_by: 'address desc' },
  });
  const uuid = submitted.body.queryUuid;
  expect(submitted.body).toEqual({ queryUuid: uuid });
  const done = await page.until(uuid, ({ status }) => status !== 'IN_PROGRESS');
  expect(done).toEqual({
    status: 'SUCCESS',
    processedRows: 20,
    processedTraces: 20,
    totalTraces: 20,
    cost: expect.objectContaining({ coreMs: expect.any(Number) }),
  });
  const fetched = await post(`/query_executions/${uuid}:fetch_results`, {
    ...{
      limit: 2,
      offset: 18,
      order_by: '_trace_address asc',
      columns: ['_trace_address', 'size'],
    },
    filters: [{ field: 'name', op: '=', value: 'some' }],
  });
  expect(fetched.body).toMatchObject({
    ...{ columnNames: ['_trace_address', 'size'], totalFilteredRows: 20 },
    rows: [{ values: ['/local/38.json', '89'] }, { values: ['/local/39.json', '89'] }],
  });
  const { body: full } = await get(`/query_executions/${uuid}`);
  expect(full).toMatchObject({
    traceFilters: filters,
    traceOrderBy: 'address desc',
    materialized: true,
  });
  expect((await get('/query_executions')).body).toEqual({ queryExecutions: [full] });
  expect((await post(`/query_executions/${uuid}:cancel`, {})).status).toBe(200);
  expect((await page.delete(`//query_executions/${uuid}`)).status).toBe(200);
  expect((await get('/query_executions')).body).toEqual({ queryExecutions: [] });
});

test('a trace link returns the whole trace or the requested range', async () => {
  const id = (address: string) => Buffer.from(address).toString('base64url');
  const url = `${system.http}/trace/${id('/local/00.json')}/00.json`;
  const whole = readFileSync(join(traces, '00.json'));
  const read = async (headers: Record<string, string> = {}, method = 'GET') => {
    const response = await fetch(url, { method, headers });
    const bytes = Buffer.from(await response.arrayBuffer());
    return {
      status: response.status,
      bytes,
      range: response.headers.get('content-range'),
      response,
    };
  };
  const { status, bytes, response } = await read({ Origin: 'https://ui.perfetto.dev' });
  expect({ status, bytes }).toEqual({ status: 200, bytes: whole });
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'access-control-allow-origin': 'https://ui.perfetto.dev',
    'accept-ranges': 'bytes',
    'content-length': String(whole.length),
    'content-type': 'application/octet-stream',
    'content-disposition': "attachment; filename*=UTF-8''00.json",
  });
  const size = whole.length;
  for (const [range, from, to] of [
    ['bytes=0-0', 0, 1],
    ['bytes=5-', 5, size],
    ['bytes=-7', size - 7, size],
    [`bytes=10-${size + 10}`, 10, size],
  ] as const)
    expect(await read({ Range: range })).toMatchObject({
      ...{ status: 206, bytes: whole.subarray(from, to), range: `bytes ${from}-${to - 1}/${size}` },
    });
  expect(await read({ Range: `bytes=${size}-` })).toMatchObject({
    status: 416,
    range: `bytes */${size}`,
  });
  expect(await read({ Range: 'bytes=0-0', 'If-Range': '"other"' })).toMatchObject({
    status: 200,
    bytes: whole,
  });
  const head = await read({}, 'HEAD');
  expect(head).toMatchObject({ status: 200, bytes: Buffer.alloc(0) });
  expect(head.response.headers.get('content-length')).toBe(String(size));
  for (const path of [id('/local/nope.json'), id('/local/*.json'), '!', id('/local/../secret')])
    expect([400, 404]).toContain((await page.get(`/trace/${path}/x`)).status);
});

async function submitEndless(): Promise<string> {
  const { body } = await page.post('/execute_bigtrace_query_async', ENDLESS_QUERY);
  const uuid = String(body.queryUuid);
  await page.until(uuid, ({ processedTraces }) => processedTraces >= 5);
  return uuid;
}

async function bigtrace(...args: string[]): Promise<string> {
  const env = { ...process.env, BIGTRACE_ANALYST_PASSWORD: system.analystPassword };
  const program = [join(ROOT, 'cli/bigtrace.mjs'), ...args];
  return (await promisify(execFile)(process.execPath, program, { env })).stdout;
}

/** Returns the IDs of the running queries. */
async function running(): Promise<string[]> {
  const text = await system.sql('SELECT query_id FROM bigtrace.progress');
  return text.split('\n').filter((id) => id !== '');
}

test('rows can be read while a query runs; after it is cancelled it stops everywhere and keeps its rows', async () => {
  const uuid = await submitEndless();
  const progress = await page.until(uuid, ({ processedRows }) => processedRows >= 4);
  expect(progress).toEqual({
    ...{ status: 'IN_PROGRESS', ...counts(progress), totalTraces: 40 },
    cost: expect.objectContaining({ coreMs: expect.any(Number) }),
  });
  const first = {
    limit: 1,
    offset: 0,
    columns: ['name'],
    filters: [{ field: 'name', op: '=', value: 'some' }],
  };
  expect(
    valuesOf((await page.post(`/query_executions/${uuid}:fetch_results`, first)).body),
  ).toEqual([['some']]);
  expect(await running()).toEqual([uuid]);
  expect((await page.post(`/query_executions/${uuid}:cancel`, {})).status).toBe(200);
  const status = await page.until(uuid, () => true);
  expect(status).toMatchObject({ status: 'CANCELLED', errorMessage: 'cancelled' });
  await expect.poll(running, { timeout: 10_000 }).toEqual([]);
  const after = await page.post(`/query_executions/${uuid}:fetch_results`, first);
  expect(valuesOf(after.body)).toEqual([['some']]);
  expect((await page.delete(`/query_executions/${uuid}?drop_table=true`)).status).toBe(200);
});

test('deleting a running query cancels it, and drops its table on request', async () => {
  const uuid = await submitEndless();
  expect(await page.delete(`/query_executions/${uuid}?drop_table=true`)).toMatchObject({
    status: 200,
    body: {},
  });
  await expect.poll(running, { timeout: 10_000 }).toEqual([]);
  expect((await page.get(`/query_executions/${uuid}`)).status).toBe(404);
  const table_name = `query_${uuid.replaceAll('-', '_')}`;
  expect((await page.post('/check_table_exists', { table_name })).body.exists).toBe(false);
});

function counts({ processedRows, processedTraces }: Record<string, number>): object {
  return { processedRows, processedTraces };
}

test('bigtrace cancel cancels a query, and bigtrace history lists it', async () => {
  const uuid = await submitEndless();
  expect(await bigtrace('cancel', uuid, '--orchestrator', system.orchestrator)).toBe(
    `query ${uuid} is cancelled\n`,
  );
  const status = await page.until(uuid, (now) => now.status !== 'IN_PROGRESS');
  expect(status.status).toBe('CANCELLED');
  const flags = ['--clickhouse', system.clickhouseHttp, '--limit', '1'];
  expect(await bigtrace('history', ...flags)).toMatch(
    new RegExp(
      `^STARTED .* ID\n.*CANCELLED .* query_${uuid.replaceAll('-', '_')} .* ${uuid}\n$`,
      's',
    ),
  );
  await expect(bigtrace('cancel', uuid, '--orchestrator', system.orchestrator)).rejects.toThrow(
    `no query ${uuid} is running`,
  );
});

test('a synchronous query is cancelled when its client disconnects', async () => {
  const away = new AbortController();
  const pending = page.post('/execute_bigtrace_query', ENDLESS_QUERY, { signal: away.signal });
  await expect.poll(running, { timeout: 30_000 }).toHaveLength(1);
  away.abort();
  await expect(pending).rejects.toThrow('aborted');
  await expect.poll(running, { timeout: 10_000 }).toEqual([]);
  const { body } = await page.get('/query_executions');
  expect(body.queryExecutions[0]).toMatchObject({ status: 'CANCELLED', materialized: false });
});

test('a query that exceeds its time limit fails', async () => {
  const settings = [{ setting_id: 'timeout_s', values: ['3'] }];
  const { status } = await page.run({ ...ENDLESS_QUERY, settings });
  expect(status).toMatchObject({
    status: 'FAILED',
    errorMessage: 'the query exceeded its time limit of 3 s',
  });
  await expect.poll(running, { timeout: 10_000 }).toEqual([]);
});

/** Kills a process of the system and waits until it serves again. */
async function restarted(name: string): Promise<void> {
  const pid = system.processes.find((process) => process.name === name)?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await gone([pid]);
  await system.logged(new RegExp(`${name} was restarted`));
  await expect
    .poll(
      () =>
        page
          .get('/api/state') // 503 while the orchestrator cannot be reached
          .then(({ status }) => status)
          .catch(() => 0),
      { timeout: 30_000 },
    )
    .toBe(200);
}

test('a query runs on while the HTTP API is killed and restarted', async () => {
  const uuid = await submitEndless();
  await page.until(uuid, ({ processedRows }) => processedRows >= 4);
  await restarted('http-api');
  expect(await page.until(uuid, () => true)).toMatchObject({
    status: 'IN_PROGRESS',
    totalTraces: 40,
  });
  expect(await running()).toEqual([uuid]);
  await page.post(`/query_executions/${uuid}:cancel`, {});
  expect(await page.until(uuid, () => true)).toMatchObject({ status: 'CANCELLED' });
  await expect.poll(running, { timeout: 10_000 }).toEqual([]);
});

test('a query whose orchestrator was killed has failed after the restart', async () => {
  const uuid = await submitEndless();
  await restarted('orchestrator');
  await page.until(uuid, ({ status }) => status !== 'IN_PROGRESS');
  const { body } = await page.get(`/query_executions/${uuid}`);
  const error = expect.stringMatching(
    /^cannot reach the orchestrator 127\.0\.0\.1:\d+ \(BIGTRACE_ORCHESTRATOR\), or the connection broke: \S.*$/,
  );
  expect(body).toMatchObject({ status: 'FAILED', error });
  // New queries succeed.
  const { status } = await page.run({
    limit: 100,
    perfetto_sql: 'SELECT count(*) AS n FROM slice',
  });
  expect(status.errorMessage).toBeUndefined();
  expect(status).toMatchObject({ status: 'SUCCESS', processedRows: 40, processedTraces: 40 });
});

test('every page of a result with a million rows can be fetched, sorted and filtered', async () => {
  const settings = [{ setting_id: 'traces', values: [`/local/${NAMES[0]}`] }];
  const { uuid, status } = await page.run({ limit: 2 * MILLION, perfetto_sql: MANY, settings });
  expect(status).toMatchObject({ status: 'SUCCESS', processedRows: MILLION });
  const pageAt = async (offset: number, rest: object = {}) => {
    const begun = performance.now();
    const response = await page.post(`/query_executions/${uuid}:fetch_results`, {
      limit: 50,
      offset,
      ...rest,
    });
    return { ms: performance.now() - begun, body: response.body };
  };
  await pageAt(0);
  const times: number[] = [];
  for (const offset of [0, 50, 499_999, 777_777, MILLION - 50]) {
    const { ms, body } = await pageAt(offset);
    times.push(ms);
    expect(valuesOf(body).map((row) => row[1])).toEqual(
      Array.from({ length: Math.min(50, MILLION - offset) }, (_, at) => String(offset + at)),
    );
    expect(body.totalFilteredRows).toBe(MILLION);
  }
  const sorted = await pageAt(600_000, { order_by: 'mixed desc', columns: ['mixed', 'text'] });
  expect(valuesOf(sorted.body)[0]?.[0]).toBe(String(MILLION - 1 - 600_000));
  const filtered = await pageAt(10, {
    filters: [{ field: 'text', op: 'glob', value: '*[0-4]99' }],
    columns: ['n'],
  });
  expect(filtered.body.totalFilteredRows).toBe(4999);
  console.log(
    `a page of a million rows: ${times.sort((a, b) => a - b)[2]?.toFixed(0)} ms (median)`,
  );
});
