/** Tests that a query ends, successfully or with an immediate error, when a process is killed during it. */
import type { ClickHouseClient } from '@clickhouse/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clickhouseAs, rowsOf } from '../../harness/queries.ts';
import { type ResidentProcess, usesResidentBridge } from '../../harness/resident/resident.ts';
import { type System, startSystem } from '../../harness/system.ts';
import { untilIdle, untilRunning } from '../../harness/workers.ts';

/** Returns a query with `steps` steps of recursion, about a second for each 2,000,000; endless without `steps`. */
function slowQuery(steps?: number): string {
  const bound = steps === undefined ? '' : ` WHERE n < ${steps}`;
  return `SELECT * FROM bigtrace_as(structure='n Int64', traces=['/local/linux/*'],
    sql='WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t${bound}) SELECT max(n) AS n FROM t')`;
}
const QUICK = `SELECT count() FROM bigtrace(traces=['/local/linux/*'], sql='SELECT 1 AS one')`;
const LINUX_TRACES = '8';

let system: System;
let analyst: ClickHouseClient;

beforeEach(async () => {
  system = await startSystem({ workers: 2 });
  analyst = clickhouseAs(system, 'analyst');
});
afterEach(async () => {
  await analyst?.close();
  await system?.stop();
});

function kill(name: string): void {
  const pid = system.processes.find((process) => process.name === name)?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
}

async function untilRestarted(name: string): Promise<void> {
  await system.logged(new RegExp(`${name}.*SIGKILL`));
  await untilQuick();
}

async function untilQuick(): Promise<void> {
  await expect
    .poll(() => rowsOf(analyst, QUICK).catch((error: Error) => error.message), { timeout: 40_000 })
    .toEqual([[LINUX_TRACES]]);
}

test.each(usesResidentBridge() ? ['orchestrator'] : ['orchestrator', 'clickhouse'])(
  'a query fails at once when %s is killed, and later queries succeed',
  async (name) => {
    const running = rowsOf(analyst, slowQuery()).then(
      (rows) => `answered ${rows.length} rows`,
      (thrown: Error) => `error: ${thrown.message}`,
    );
    await untilRunning(system);
    kill(name);
    expect(await running).toMatch(/^error: /);
    await untilRestarted(name);
  },
  90_000,
);

test.runIf(usesResidentBridge()).each<ResidentProcess>(['bridge', 'clickhouse'])(
  'a query fails at once when the %s of a resident bridge is killed, and its work ends',
  async (name) => {
    const { resident } = system;
    if (resident === undefined) throw new Error('the system has no resident bridge');
    const running = rowsOf(analyst, slowQuery()).catch(
      (thrown: Error) => `error: ${thrown.message}`,
    );
    await untilRunning(system);
    resident.kill(name);
    expect(await running).toMatch(/^error: /);
    await untilIdle(system);
    await resident.restart(name);
    await untilQuick();
  },
  90_000,
);

test('a query returns all rows although a worker is killed', async () => {
  const running = rowsOf(analyst, slowQuery(1_000_000));
  await untilRunning(system);
  kill('worker-1');
  const rows = await running;
  expect(rows.map((row) => row[1])).toEqual(Array(Number(LINUX_TRACES)).fill('1000000'));
  await untilRestarted('worker-1');
}, 120_000);
