/**
 * Tests the HTTP backend of a second orchestrator next to the one that ClickHouse uses: its responses are correct, or
 * say that another orchestrator ran the query.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { BigtracePage, valuesOf, writeTraces } from '../../harness/http-page.ts';
import { type System, startSystem } from '../../harness/system.ts';

let system: System;
let second: ChildProcess;
/** The HTTP backends of the orchestrator that ClickHouse uses, and of the other one. */
let first: BigtracePage;
let other: BigtracePage;

beforeAll(async () => {
  const traces = writeTraces({ 'a.json': ['one', 'two'], 'b.json': ['three'] });
  writeFileSync(join(traces, 'bad.json'), '{"traceEvents":[{"ph":"X","name":"cut');
  system = await startSystem({ traces, workers: 2, threads: 1 });
  second = spawn(
    process.execPath,
    [
      ...[
        join(ROOT, 'cli/bigtrace.mjs'),
        'orchestrator',
        '--json',
        '--log-level',
        'warn',
        '-s',
        '127.0.0.1:0',
      ],
      ...[
        '-l',
        system.workers.join(','),
        '--clickhouse',
        system.clickhouseHttp,
        '--http-port',
        '0',
      ],
      ...['--service-password-file', join(system.dataDir, 'service.password')],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (second.stdout === null) throw new Error('no stdout');
  const [line] = await once(createInterface(second.stdout), 'line');
  first = new BigtracePage(system);
  other = new BigtracePage(JSON.parse(String(line)));
});
afterAll(async () => {
  if (second?.exitCode === null) {
    second.kill('SIGTERM');
    await once(second, 'exit');
  }
  await system?.stop();
});

const SQL = { perfetto_sql: 'SELECT name FROM slice ORDER BY name', limit: 100 };
const STRICT = [{ setting_id: 'on_failure', values: ['strict'] }];
const traces = (...values: string[]) => ({ setting_id: 'traces', values });

test('both orchestrators return the same rows, history and status', async () => {
  const settings = [traces('/local/[ab].json'), ...STRICT];
  const { uuid, status } = await other.run({ ...SQL, settings });
  expect(status).toEqual({
    status: 'SUCCESS',
    processedRows: 3,
    processedTraces: 0,
    totalTraces: 0,
  });
  for (const page of [first, other]) {
    const { body } = await page.post(`/query_executions/${uuid}:fetch_results`, {
      ...{ limit: 10, offset: 0, order_by: 'name', columns: ['name'] },
    });
    expect(valuesOf(body).flat()).toEqual(['one', 'three', 'two']);
    expect((await page.get(`/query_executions/${uuid}:status`)).body).toEqual(status);
    expect((await page.get('/query_executions')).body.queryExecutions[0].queryUuid).toBe(uuid);
  }
});

test('an orchestrator that did not run a query does not claim that no trace failed', async () => {
  const settings = [traces('/local/*.json')];
  const ours = await first.run({ ...SQL, settings });
  expect(ours.status.errorMessage).toMatch(/^1 of 3 traces failed: \[\/local\/bad\.json\]/);
  const theirs = await other.run({ ...SQL, settings });
  expect(theirs.status).toMatchObject({
    status: 'SUCCESS',
    processedRows: 3,
    errorMessage: expect.stringMatching(/^another orchestrator ran the query: /),
  });
  const failures = await system.sql(
    `SELECT trace FROM bigtrace.failures WHERE query_id = '${theirs.uuid}' AND trace != '' LIMIT 1`,
  );
  expect(failures.trim()).toBe('/local/bad.json');
});

test('each orchestrator can cancel the queries of the other', async () => {
  const endless = 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t';
  for (const [asked, told] of [
    [first, other],
    [other, first],
  ] as const) {
    const body = {
      perfetto_sql: endless,
      limit: 1_000_000_000,
      settings: [traces('/local/a.json')],
    };
    const { queryUuid } = (await asked.post('/execute_bigtrace_query_async', body)).body;
    await told.until(queryUuid, ({ status }) => status === 'IN_PROGRESS');
    await told.post(`/query_executions/${queryUuid}:cancel`, {});
    for (const page of [asked, told])
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
