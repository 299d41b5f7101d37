/** Tests each call of the HTTP contract with Perfetto's BigTrace page, against a system of three workers. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FILTERS, MANIFEST, REFUSALS, WRONG_SETTINGS } from '../../harness/http-cases.ts';
import { BigtracePage, index, valuesOf, writeTraces } from '../../harness/http-page.ts';
import { type System, startSystem } from '../../harness/system.ts';
import { EXECUTION_CONFIG, METADATA_SCHEMA } from './http-contract.ts';

let system: System;
let page: BigtracePage;
let uuid: string;

const SQL = 'SELECT name, dur FROM slice ORDER BY ts';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const SCHEMA = [
  { name: '_trace_address', type: 'STRING' },
  { name: 'name', type: 'STRING' },
  { name: 'dur', type: 'INT64' },
  { name: 'size', type: 'UINT64' },
];
const SETTINGS = [{ setting_id: 'traces', values: ['/local/*.json'], category: 'TRACE_ADDRESS' }];

function link(trace: string): string {
  return `${system.http}/open/${Buffer.from(trace).toString('base64url')}`;
}

beforeAll(async () => {
  const traces = writeTraces({
    'a.json': ['one', 'Two'],
    'b.json': ['three'],
    'c.json': ['50%_*[x]'],
  });
  writeFileSync(join(traces, 'bad.json'), '{"traceEvents":[{"ph":"X","name":"cut');
  const manifest = `${traces}.json`;
  writeFileSync(manifest, JSON.stringify(MANIFEST));
  system = await startSystem({ traces, workers: 3, threads: 1 });
  page = new BigtracePage(system);
  await index(system, '--manifest', manifest);
});
afterAll(() => system?.stop());

test('GET / returns the service and its status, with any number of slashes and an optional /v1', async () => {
  const { status, body } = await page.get('/');
  expect(status).toBe(200);
  expect(body).toEqual({
    status: 'ok',
    service: 'bigtrace',
    version: expect.any(String),
    traceCount: 4,
  });
  for (const path of ['//', '/v1', '/v1/', '//v1//'])
    expect((await page.get(path)).body).toEqual(body);
});

test('/bigtrace_execution_config returns the settings', async () => {
  const { status, body } = await page.post('/bigtrace_execution_config', {});
  expect({ status, body }).toEqual({ status: 200, body: EXECUTION_CONFIG });
});

test('/trace_metadata_schema returns the columns of the catalog, and those of the manifest', async () => {
  const { status, body } = await page.post('/trace_metadata_schema', { settings: SETTINGS });
  expect({ status, body }).toEqual({ status: 200, body: METADATA_SCHEMA });
});

test.each(WRONG_SETTINGS)(
  '/trace_metadata_schema refuses the setting %s %s',
  async (setting_id, value, detail) => {
    const settings = [{ setting_id, values: [value] }];
    const { status, body } = await page.post('/trace_metadata_schema', { settings });
    expect({ status, body }).toEqual({
      status: 400,
      body: { detail: expect.stringMatching(detail) },
    });
  },
);

test('POST /refresh returns the number of traces', async () => {
  const { status, body } = await page.post('/refresh', {});
  expect({ status, body }).toEqual({ status: 200, body: { status: 'ok', traceCount: 4 } });
});

test('/trace_metadata filters, sorts, selects columns, returns a page, and counts', async () => {
  const { body } = await page.post('/trace_metadata', {
    settings: SETTINGS,
    filters: [{ field: 'address', op: 'glob', value: '/local/[a-c].json' }],
    order_by: 'address desc',
    columns: ['address', 'experiment_id', 'link'],
    limit: 2,
    offset: 1,
  });
  expect(body).toEqual({
    columnNames: ['address', 'experiment_id', 'link'],
    rows: [
      { values: ['/local/b.json', '7', link('/local/b.json')] },
      { values: ['/local/a.json', '7', link('/local/a.json')] },
    ],
    totalFilteredRows: 3,
  });
});

test('a synchronous query runs once, on the filtered traces, and returns their metadata', async () => {
  const queries = async (): Promise<number> => (await page.get('/api/state')).body.counters.queries;
  const before = await queries();
  const { status, body } = await page.post('/execute_bigtrace_query', {
    limit: 100,
    perfetto_sql: SQL,
    settings: SETTINGS,
    trace_filters: [{ field: 'address', op: 'in', value: ['/local/b.json', '/local/nowhere'] }],
    trace_metadata_columns: ['address', 'size'], // the address is in _trace_address
  });
  expect({ status, body }).toEqual({
    status: 200,
    body: {
      queryUuid: expect.stringMatching(UUID),
      columnNames: ['_trace_address', 'name', 'dur', 'size'],
      schema: SCHEMA,
      rows: [{ values: ['/local/b.json', 'three', '1000', '90'] }],
      totalFilteredRows: 1,
    },
  });
  expect(await queries()).toBe(before + 1);
});

test('a query succeeds although one trace fails, and reports the failure', async () => {
  const { uuid: id, status } = await page.run({
    ...{ limit: 100, perfetto_sql: SQL, settings: SETTINGS, table_name: 'first' },
    ...{ trace_metadata_columns: ['size'] },
  });
  uuid = id;
  expect(status).toEqual({
    status: 'SUCCESS',
    processedRows: 4,
    processedTraces: 4,
    totalTraces: 4,
    errorMessage: expect.stringMatching(/^1 of 4 traces failed: \[\/local\/bad\.json\]: .*JSON/),
    cost: {
      ...{ coreMs: expect.any(Number), traceBytes: expect.any(Number) },
      ...{ tracesRemembered: expect.any(Number), tracesLoaded: expect.any(Number) },
      ...{ tracesRestored: 0, tracesParsed: expect.any(Number) },
    },
  });
  const { coreMs, traceBytes, ...tiers } = status.cost;
  expect(Object.values(tiers).reduce((sum: number, traces) => sum + Number(traces), 0)).toBe(3);
  const recorded = await system.sql(
    `SELECT core_ms, trace_bytes, traces_remembered + traces_loaded + traces_restored + traces_parsed
     FROM bigtrace.query_history FINAL WHERE uuid = '${uuid}'`,
  );
  expect(recorded.trim().split('\t').map(Number)).toEqual([coreMs, traceBytes, 3]);
  const { body } = await page.get(`/query_executions/${uuid}`);
  expect(body).toEqual({
    ...status,
    ...{ queryUuid: uuid, startTime: TIME, endTime: TIME, limit: 100, perfettoSql: SQL },
    ...{ materialized: true, tableName: 'bigtrace_results.first', schema: SCHEMA },
    user: 'http-address:127.0.0.1',
    tableLink: expect.stringMatching(`^${system.clickhouseHttp}/play#`),
    settings: [{ settingId: 'traces', values: ['/local/*.json'], category: 'TRACE_ADDRESS' }],
    ...{ traceFilters: [], traceMetadataColumns: ['size'], traceOrderBy: '', traceLimit: 0 },
  });
  const { body: list } = await page.get('/query_executions');
  expect(list.queryExecutions[0]).toEqual(body);
  expect(list.queryExecutions[1]).toMatchObject({ materialized: false, status: 'SUCCESS' });
  expect(list.queryExecutions[1]).not.toHaveProperty('tableName');
});

test('fetch_results filters, sorts, selects columns and returns a page', async () => {
  const { body } = await page.post(`/query_executions/${uuid}:fetch_results`, {
    ...{ limit: 2, offset: 1, order_by: 'dur desc, name asc', columns: ['name', 'dur'] },
    filters: [{ field: 'dur', op: '>=', value: '1000' }],
  });
  expect(body).toEqual({
    columnNames: ['name', 'dur'],
    schema: SCHEMA.slice(1, 3),
    rows: [{ values: ['50%_*[x]', '1000'] }, { values: ['one', '1000'] }],
    totalFilteredRows: 4,
    availableColumnNames: expect.arrayContaining([...SCHEMA.map(({ name }) => name), 'duration']),
  });
});

test('columns of the catalog are joined when they are fetched', async () => {
  const { body } = await page.post(`/query_executions/${uuid}:fetch_results`, {
    ...{ limit: 10, offset: 0, columns: ['name', 'experiment_id', 'address', 'link'] },
    filters: [{ field: 'experiment_name', op: '=', value: 'faster' }],
    order_by: 'session_name asc, name desc',
  });
  const { availableColumnNames, ...rest } = body;
  expect(rest).toEqual({
    columnNames: ['name', 'experiment_id', 'address', 'link'],
    schema: ['STRING', 'INT64', 'STRING', 'STRING'].map((type, at) => ({
      ...{ name: rest.columnNames[at], type },
    })),
    rows: [
      { values: ['three', '7', '/local/b.json', link('/local/b.json')] },
      { values: ['one', '7', '/local/a.json', link('/local/a.json')] },
      { values: ['Two', '7', '/local/a.json', link('/local/a.json')] },
    ],
    totalFilteredRows: 3,
  });
  expect(availableColumnNames.slice(0, 4)).toEqual(SCHEMA.map(({ name }) => name));
  expect(availableColumnNames).toEqual(expect.arrayContaining(['link', 'experiment_id']));
  expect(availableColumnNames).not.toContain('address');
});

test.each(FILTERS)(
  'the filter %s %j on %s returns the matching rows',
  async (op, value, field, expected) => {
    const { body } = await page.post(`/query_executions/${uuid}:fetch_results`, {
      ...{ limit: 10, offset: 0, columns: ['name'], filters: [{ field, op, value }] },
    });
    expect(valuesOf(body).flat().sort()).toEqual(expected);
    expect(body.totalFilteredRows).toBe(expected.length);
  },
);

test('responses have exact 64-bit integers, NULL, doubles and texts', async () => {
  const { body } = await page.post('/execute_bigtrace_query', {
    ...{ limit: 1, settings: SETTINGS, trace_limit: 1, trace_order_by: 'address' },
    perfetto_sql: `SELECT 9223372036854775807 AS big, (-9223372036854775807 - 1) AS least, NULL AS missing,
      'NULL' AS text, 1e999 AS inf, 0.1 AS tenth, 'a' || char(10, 9) || '"\\' AS hard`,
  });
  expect(valuesOf(body)).toEqual([
    [
      '/local/a.json',
      '9223372036854775807',
      '-9223372036854775808',
      null,
      'NULL',
      'Infinity',
      '0.1',
      'a\n\t"\\',
    ],
  ]);
  expect(body.schema.map(({ type }: { type: string }) => type)).toEqual([
    'STRING',
    'INT64',
    'INT64',
    'INT64', // a column with only NULLs has a type that every aggregate accepts
    'STRING',
    'FLOAT64',
    'FLOAT64',
    'STRING',
  ]);
});

test('ClickHouse users can read the table of a query but not drop it', async () => {
  expect(await system.sql('SELECT sum(dur), max(_row) FROM bigtrace_results.first')).toBe(
    '5000\t3\n',
  );
  await expect(system.sql('DROP TABLE bigtrace_results.first')).rejects.toThrow(
    /readonly|privileges/,
  );
  const { body } = await page.post('/check_table_exists', { table_name: 'first' });
  expect(body).toEqual({ exists: true, resolvedTableName: 'bigtrace_results.first' });
  const again = { limit: 1, perfetto_sql: SQL, settings: SETTINGS, table_name: 'first' };
  expect(await page.post('/execute_bigtrace_query_async', again)).toMatchObject({
    status: 400,
    body: {
      detail: `table bigtrace_results.first is of query ${uuid}; choose another name, or delete that query`,
    },
  });
});

test('experiments are found from the columns of a manifest and select traces', async () => {
  const faster = {
    ...{ experimentId: 7, experimentName: 'faster', controlId: 8, controlName: 'as before' },
    ...{ isExperimentDenied: false, isControlDenied: false },
  };
  const search = { search_query: 'FAST', limit: 10, offset: 0 };
  expect((await page.post('/experiments', search)).body).toEqual({ experiments: [faster] });
  expect((await page.post('/experiments', { ...search, search_query: 'nope' })).body).toEqual({
    experiments: [],
  });
  expect((await page.post('/experiment_metadata', { experiment_id: 7 })).body).toEqual({
    experiment: faster,
  });
  expect((await page.post('/experiment_metadata', { experiment_id: 9 })).body).toEqual({});
  const { body } = await page.post('/execute_bigtrace_query', {
    ...{ limit: 10, perfetto_sql: SQL, settings: SETTINGS },
    experiment_filter: { experiment_id: 7, control_id: 8, is_treatment: true },
  });
  expect(valuesOf(body).map(([address, name]) => [address, name])).toEqual([
    ['/local/a.json', 'one'],
    ['/local/a.json', 'Two'],
  ]);
  const { body: done } = await page.get(`/query_executions/${body.queryUuid}`);
  expect(done.experimentFilter).toEqual({ experimentId: 7, controlId: 8, isTreatment: true });
  for (const [arm, addresses] of [
    [{ is_treatment: true }, ['/local/a.json']],
    [{ is_treatment: false }, ['/local/b.json']],
    [{ is_treatment: null }, ['/local/a.json', '/local/b.json']],
    [{}, ['/local/a.json', '/local/b.json']],
  ] as const) {
    const experiment_filter = { experiment_id: 7, control_id: 8, ...arm };
    const grid = { settings: SETTINGS, experiment_filter, columns: ['address'] };
    expect(valuesOf((await page.post('/trace_metadata', grid)).body).flat()).toEqual(addresses);
  }
});

test('there are at least 15 presets, and the first four run', async () => {
  const { body } = await page.get('/trace_presets');
  expect(body.tracePresets.length).toBeGreaterThanOrEqual(15);
  expect(body.tracePresets.at(-1)).toEqual({
    ...{ id: 'team', category: 'Team', name: 'Of the manifest', description: '' },
    perfettoSql: 'SELECT 1 AS one',
  });
  for (const { perfettoSql, name } of body.tracePresets.slice(0, 4)) {
    const settingsBody = { limit: 10, perfetto_sql: perfettoSql, settings: SETTINGS };
    expect((await page.post('/execute_bigtrace_query', settingsBody)).status, name).toBe(200);
  }
});

test.each(REFUSALS)('the call %s %s %j is refused', async (method, path, body, status, detail) => {
  const response = await (method === 'GET' ? page.get(path) : page.post(path, body));
  expect(response).toMatchObject({ status, body: { detail: expect.stringMatching(detail) } });
  if (typeof detail === 'string') expect(response.body).toEqual({ detail });
});

test('a body that is too large or not JSON is refused', async () => {
  // The content length alone causes the refusal; no body is sent.
  const large = request(`${system.http}/experiments`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Content-Length': 9 * 2 ** 20 },
  });
  large.flushHeaders();
  const [refused] = (await once(large, 'response')) as [IncomingMessage];
  large.destroy();
  expect(refused.statusCode).toBe(413);
  const headers = { 'Content-Type': 'application/json' };
  const cut = await page.get('/experiments', { method: 'POST', body: '{"a":', headers });
  expect(cut).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/JSON/) } });
});

test('50 concurrent clients each get their own response', async () => {
  const pages = Array.from({ length: 50 }, async (_, at) => {
    const { body } = await page.post(`/query_executions/${uuid}:fetch_results`, {
      ...{ limit: 1, offset: at % 4, order_by: 'name', columns: ['name'] },
    });
    await page.get(`/query_executions/${uuid}:status`);
    return valuesOf(body)[0]?.[0];
  });
  const names = ['50%_*[x]', 'Two', 'one', 'three'];
  expect(await Promise.all(pages)).toEqual(pages.map((_, at) => names[at % 4]));
});

const DONE = { status: 200, body: {} };

test('deleting a query removes it, and removes its table only with drop_table', async () => {
  expect(await page.delete(`/query_executions/${uuid}`)).toMatchObject({ status: 200, body: {} });
  expect((await page.get(`/query_executions/${uuid}`)).status).toBe(404);
  expect((await page.post('/check_table_exists', { table_name: 'first' })).body.exists).toBe(true);
  for (const unknown of ['nope', uuid]) {
    const headers = { 'Content-Type': 'application/json' }; // and no body, as the page sends it
    const path = `/query_executions/${unknown}?drop_table=true`;
    expect(await page.get(path, { method: 'DELETE', headers })).toMatchObject(DONE);
    expect(await page.post(`/query_executions/${unknown}:cancel`, {})).toMatchObject(DONE);
  }
  expect((await page.post('/check_table_exists', { table_name: 'first' })).body.exists).toBe(true);
  const second = { limit: 1, perfetto_sql: SQL, settings: SETTINGS, table_name: 'second' };
  const { uuid: other } = await page.run(second);
  expect((await page.delete(`/query_executions/${other}?drop_table=true`)).status).toBe(200);
  expect((await page.post('/check_table_exists', { table_name: 'second' })).body.exists).toBe(
    false,
  );
});
