/** A process that is killed in the middle of a query: an error within 5 s, and `bigtrace up` says which. */
import type { ClickHouseClient } from '@clickhouse/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clickhouseAs, rowsOf } from './asking.ts';
import { type System, startSystem } from './harness.ts';
import { untilRunning } from './workers.ts';

const ENDLESS_QUERY = `SELECT * FROM bigtrace_as(structure='n Int64', traces=['/local/**'],
  sql='WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) AS n FROM t')`;

let system: System;
let analyst: ClickHouseClient;

beforeEach(async () => {
  system = await startSystem({ workers: 1 });
  analyst = clickhouseAs(system, 'analyst');
});
afterEach(async () => {
  await analyst?.close();
  await system?.stop();
});

test.each(['worker-1', 'orchestrator', 'clickhouse'])(
  'killing %s',
  async (name) => {
    const asked = rowsOf(analyst, ENDLESS_QUERY).then(
      (rows) => `answered ${rows.length} rows`,
      (thrown: Error) => `error: ${thrown.message}`,
    );
    await untilRunning(system);
    const pid = system.processes.find((process) => process.name === name)?.pid ?? 0;
    const before = performance.now();
    process.kill(pid, 'SIGKILL');
    expect(await asked).toMatch(/^error: /);
    expect(performance.now() - before).toBeLessThan(5000);
    await system.said(new RegExp(`${name}.*SIGKILL`));
    await expect
      .poll(() => rowsOf(analyst, 'SELECT 1').catch(() => 'not yet'), { timeout: 20_000 })
      .toEqual([[1]]);
    const rows = await rowsOf(
      analyst,
      `SELECT count() FROM bigtrace(traces=['/local/**'], sql='SELECT 1 AS one')`,
    );
    expect(Number(rows[0]?.[0])).toBeGreaterThan(3);
  },
  60_000,
);
