/**
 * Tests the locks of `bigtrace index` and `bigtrace materialize` with two ClickHouse servers and ZooKeeper: two commands at
 * once, and commands that are killed or suspended.
 */
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClickHouse } from '../../../lib/clickhouse/client.ts';
import { LEASE_MS } from '../../../lib/clickhouse/run-lock/keeper-lock.ts';
import { openRunLock } from '../../../lib/clickhouse/run-lock/run-lock.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { startZooKeeper, type ZooKeeper } from '../../harness/keeper/zookeeper.ts';
import { type ResidentCluster, startResidentCluster } from '../../harness/resident/resident.ts';
import { type Command, runCommand } from '../../harness/resident/run-command.ts';
import { type System, startSystem } from '../../harness/system.ts';

const TRACES = 2;
const FAST = 'SELECT 1 AS n';
/** Takes some seconds for each trace. */
const SLOW = `WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 12000000)
  SELECT max(n) AS n FROM t`;

let zooKeeper: ZooKeeper;
let system: System;
let cluster: ResidentCluster;
let databases: ClickHouse[];

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-keeper-'));
  zooKeeper = await startZooKeeper(directory);
  const traces = mkdtempSync(join(tmpdir(), 'bigtrace-locks-'));
  for (let nth = 0; nth < TRACES; nth++)
    copyFileSync(join(ROOT, 'samples/traces/linux/idle.pftrace'), join(traces, `${nth}.pftrace`));
  system = await startSystem({ workers: 1, traces });
  cluster = await startResidentCluster(system.orchestrator, 2, zooKeeper.port);
  databases = cluster.servers.map(
    ({ url, password }) => new ClickHouse({ url, username: 'admin', password }),
  );
  for (const server of [0, 1]) {
    const index = run(server, 'index', '/local/*', '--orchestrator', system.orchestrator);
    expect(await index.outcome).toMatchObject({ code: 0, stderr: '' });
  }
});
afterAll(async () => {
  for (const database of databases ?? []) await database.close();
  await cluster?.stop();
  await system?.stop();
  await zooKeeper?.stop();
});

/** Runs a command of bigtrace against one of the servers. */
const run = (server: number, command: string, ...args: string[]): Command =>
  runCommand(cluster, server, command, args);

const materialize = (server: number, name: string, sql: string): Command =>
  run(server, 'materialize', '--name', name, '--sql', sql, '--structure', 'n Int64');

/** Waits until the process knows that it holds the lock: it has asked for a run number. */
async function untilHeld({ child }: Command, name: string): Promise<void> {
  const who = `SELECT who FROM bigtrace.locks WHERE name = 'materialize ${name}' AND run != 0`;
  await expect
    .poll(async () => (await databases[0]?.rows(who))?.[0]?.[0], { timeout: 60_000 })
    .toContain(`process ${child.pid} on `);
}

async function countOf(server: number, name: string): Promise<number> {
  return Number(
    (await databases[server]?.rows(`SELECT count() FROM bigtrace_results.${name}`))?.[0]?.[0],
  );
}

test('of two commands at once, on two servers, one works and the other says who it is', async () => {
  const first = materialize(0, 'once', SLOW);
  await untilHeld(first, 'once');
  const second = await materialize(1, 'once', SLOW).outcome;
  expect(second.code).not.toBe(0);
  expect(second.stderr).toMatch(
    new RegExp(`bigtrace materialize once is running: process ${first.child.pid} on .* since `),
  );
  const other = await materialize(1, 'other', FAST).outcome; // another table has a lock of its own
  expect(other.code).toBe(0);
  expect(await first.outcome).toMatchObject({
    code: 0,
    stdout: `${TRACES} traces read, 0 failed\n`,
  });
  expect(await countOf(0, 'once')).toBe(TRACES);
  const again = performance.now();
  expect(await materialize(1, 'once', SLOW).outcome).toMatchObject({
    code: 0,
    stdout: 'the table already contains all traces\n',
  });
  expect(performance.now() - again).toBeLessThan(LEASE_MS);
});

test('a command that was killed blocks the next one for a bounded time', async () => {
  const killed = materialize(0, 'killed', SLOW);
  await untilHeld(killed, 'killed');
  killed.child.kill('SIGKILL');
  await killed.outcome;
  const next = await materialize(1, 'killed', FAST).outcome;
  expect(next).toMatchObject({ code: 0, stdout: `${TRACES} traces read, 0 failed\n` });
  expect(next.stderr).toContain(`the lock is held by process ${killed.child.pid} on `);
  expect(await countOf(1, 'killed')).toBe(TRACES);
});

test('a command that was suspended, and overtaken, writes nothing and says why', async () => {
  const suspended = materialize(0, 'suspended', SLOW);
  await untilHeld(suspended, 'suspended');
  suspended.child.kill('SIGSTOP');
  const next = materialize(1, 'suspended', FAST);
  expect(await next.outcome).toMatchObject({ code: 0 });
  suspended.child.kill('SIGCONT');
  const { code, stderr } = await suspended.outcome;
  expect(code).not.toBe(0);
  expect(stderr).toContain('bigtrace materialize suspended lost its lock: another run took over');
  // Both servers have the rows of the other command only.
  const runs =
    "SELECT count(), uniqExact(run) FROM bigtrace.materialized_traces WHERE table_name = 'suspended'";
  for (const database of databases) {
    expect(await database.rows(runs)).toEqual([[String(TRACES), '1']]);
    expect(await database.rows('SELECT n FROM bigtrace_results.suspended')).toEqual([['1'], ['1']]);
  }
});

test('of many runs at once one gets the lock, and run numbers ascend over both servers', async () => {
  const numbers: bigint[] = [];
  for (let round = 0; round < 5; round++) {
    const open = databases.flatMap((database) =>
      Array.from({ length: 4 }, () =>
        openRunLock(database, {
          ...{ name: 'many', onLost: () => {}, onWait: () => {} },
          signal: new AbortController().signal,
        }).catch((error: Error) => error.message),
      ),
    );
    const all = await Promise.all(open);
    const [lock, ...others] = all.filter((one) => typeof one !== 'string');
    expect(others).toEqual([]);
    for (const one of all)
      if (typeof one === 'string') expect(one).toMatch(/^bigtrace many is running: process \d+ on/);
    for (let nth = 0; nth < 3; nth++) numbers.push(BigInt((await lock?.newRun()) ?? 0));
    await lock?.release();
  }
  expect(numbers).toHaveLength(15);
  expect(numbers).toEqual([...numbers].sort((one, other) => Number(one - other)));
  expect(new Set(numbers).size).toBe(15);
});
