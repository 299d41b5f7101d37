/** The HTTP backend when something goes wrong in mid-query, when there are very many rows, and as a source of bytes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gone, type System, startSystem } from './harness.ts';
import { BigtracePage, valuesOf, writeTraces } from './http-page.ts';

let system: System;
let page: BigtracePage;
let traces: string;

/** One trace of forty, which no search for columns asks, answers some rows and never ends. */
const NAMES = Array.from({ length: 40 }, (_, at) => `${String(at).padStart(2, '0')}.json`);
const ENDLESS = `
  SELECT name, dur FROM slice
  UNION ALL
  SELECT 'last', max(n) FROM (
    WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)
    SELECT n FROM t LIMIT (SELECT iif(count(*) > 0, -1, 1) FROM slice WHERE name = 'endless'))`;
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

test('the bytes behind a link, whole and in ranges', async () => {
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
  expect(await read({}, 'HEAD')).toMatchObject({ status: 200, bytes: Buffer.alloc(0) });
  for (const path of [id('/local/nope.json'), id('/local/*.json'), '!', id('/local/../secret')])
    expect([400, 404]).toContain((await page.get(`/trace/${path}/x`)).status);
});

async function submitEndless(): Promise<string> {
  const { body } = await page.post('/execute_bigtrace_query_async', ENDLESS_QUERY);
  const uuid = String(body.queryUuid);
  await page.until(uuid, ({ processedRows }) => processedRows >= 10);
  return uuid;
}

/** Of the queries that the orchestrator knows to run. */
async function running(): Promise<string[]> {
  const text = await system.sql('SELECT query_id FROM bigtrace.progress');
  return text.split('\n').filter((id) => id !== '');
}

test('rows are seen while the query runs; cancelled, it ends everywhere, and its rows stay', async () => {
  const uuid = await submitEndless();
  const seen = await page.until(uuid, ({ processedTraces }) => processedTraces >= 5);
  expect(seen).toEqual({ status: 'IN_PROGRESS', ...counts(seen), totalTraces: 40 });
  const first = {
    limit: 1,
    offset: 0,
    columns: ['name'],
    filters: [{ field: 'name', op: '=', value: 'some' }],
  };
  expect(
    valuesOf((await page.post(`/query_executions/${uuid}:fetch_results`, first)).body),
  ).toEqual([['some']]);
  expect((await page.delete(`/query_executions/${uuid}`)).status).toBe(409);
  expect(await running()).toEqual([uuid]);
  expect((await page.post(`/query_executions/${uuid}:cancel`, {})).status).toBe(200);
  const status = await page.until(uuid, () => true);
  expect(status).toMatchObject({ status: 'CANCELLED', errorMessage: 'cancelled' });
  await expect.poll(running, { timeout: 10_000 }).toEqual([]);
  const after = await page.post(`/query_executions/${uuid}:fetch_results`, first);
  expect(valuesOf(after.body)).toEqual([['some']]);
  expect((await page.delete(`/query_executions/${uuid}?drop_table=true`)).status).toBe(200);
});

function counts({ processedRows, processedTraces }: Record<string, number>): object {
  return { processedRows, processedTraces };
}

test('an ephemeral query ends with its connection', async () => {
  const away = new AbortController();
  const asked = page.post('/execute_bigtrace_query', ENDLESS_QUERY, { signal: away.signal });
  await expect.poll(running, { timeout: 30_000 }).toHaveLength(1);
  away.abort();
  await expect(asked).rejects.toThrow('aborted');
  await expect.poll(running, { timeout: 10_000 }).toEqual([]);
  const { body } = await page.get('/query_executions');
  expect(body.queryExecutions[0]).toMatchObject({ status: 'CANCELLED', materialized: false });
});

test('a time limit ends a query as failed', async () => {
  const settings = [{ setting_id: 'timeout_s', values: ['3'] }];
  const { status } = await page.run({ ...ENDLESS_QUERY, settings });
  expect(status).toMatchObject({
    status: 'FAILED',
    errorMessage: expect.stringMatching(/[Tt]imeout/),
  });
  await expect.poll(running, { timeout: 10_000 }).toEqual([]);
});

test('a query whose orchestrator is killed has failed when that is back, and its rows are there', async () => {
  const uuid = await submitEndless();
  const orchestrator = system.processes.find(({ name }) => name === 'orchestrator')?.pid ?? 0;
  process.kill(orchestrator, 'SIGKILL');
  await gone([orchestrator]);
  await expect
    .poll(
      () =>
        page
          .get('/')
          .then(({ status }) => status)
          .catch(() => 0),
      { timeout: 30_000 },
    )
    .toBe(200);
  const { body } = await page.get(`/query_executions/${uuid}`);
  expect(body).toMatchObject({
    status: 'FAILED',
    error: `the orchestrator ${system.orchestrator} that ran it was restarted, or died`,
  });
  const { body: rows } = await page.post(`/query_executions/${uuid}:fetch_results`, {
    limit: 1,
    offset: 0,
  });
  expect(rows.totalFilteredRows).toBeGreaterThanOrEqual(10);
  // And it answers as before.
  const { status } = await page.run({
    limit: 100,
    perfetto_sql: 'SELECT count(*) AS n FROM slice',
  });
  expect(status).toMatchObject({ status: 'SUCCESS', processedRows: 40, processedTraces: 40 });
});

test('any page of a million rows is there in 200 ms', async () => {
  const settings = [{ setting_id: 'traces', values: [`/local/${NAMES[0]}`] }];
  const { uuid, status } = await page.run({ limit: 2 * MILLION, perfetto_sql: MANY, settings });
  expect(status).toMatchObject({ status: 'SUCCESS', processedRows: MILLION });
  const pageAt = async (offset: number, rest: object = {}) => {
    const begun = performance.now();
    const answer = await page.post(`/query_executions/${uuid}:fetch_results`, {
      limit: 50,
      offset,
      ...rest,
    });
    return { ms: performance.now() - begun, body: answer.body };
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
  // The median, for the machine has other things to do as well.
  expect(times.sort((a, b) => a - b)[2]).toBeLessThan(200);
});
