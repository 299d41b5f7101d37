/**
 * Tests two replicas of the HTTP API and two orchestrators, of which ClickHouse uses one: each replica is right about
 * every query.
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
const services: ChildProcess[] = [];
/** The HTTP API of `bigtrace up`, which knows one orchestrator, and a replica that knows both. */
let first: BigtracePage;
let other: BigtracePage;

/** Starts a service and returns its ready line. */
async function start(...args: string[]): Promise<{ address: string; http: string }> {
  const flags = ['--json', '--log-level', 'warn', '-s', '127.0.0.1:0'];
  const child = spawn(process.execPath, [join(ROOT, 'cli/bigtrace.mjs'), ...args, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  services.push(child);
  const [line] = await once(createInterface(child.stdout), 'line');
  return JSON.parse(String(line));
}

beforeAll(async () => {
  const traces = writeTraces({ 'a.json': ['one', 'two'], 'b.json': ['three'] });
  writeFileSync(join(traces, 'bad.json'), '{"traceEvents":[{"ph":"X","name":"cut');
  system = await startSystem({ traces, workers: 2, threads: 1 });
  const idle = await start('orchestrator', '-l', system.workers.join(','));
  first = new BigtracePage(system);
  other = new BigtracePage(
    await start(
      ...['http-api', '--orchestrator', `${idle.address},${system.orchestrator}`],
      ...['--clickhouse', system.clickhouseHttp],
      ...['--service-password-file', join(system.dataDir, 'service.password')],
    ),
  );
});
afterAll(async () => {
  for (const child of services) {
    if (child.exitCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  await system?.stop();
});

const SQL = { perfetto_sql: 'SELECT name FROM slice ORDER BY name', limit: 100 };
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
  const endless = 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t';
  for (const [queried, reporting] of [
    [first, other],
    [other, first],
  ] as const) {
    const body = {
      perfetto_sql: endless,
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
