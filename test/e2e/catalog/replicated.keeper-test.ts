/**
 * Tests what `bigtrace clickhouse install --replicated` makes, with two ClickHouse servers that replicate their tables over
 * ZooKeeper: the rows of the catalog and of `bigtrace materialize` are the same on both, at every moment.
 */
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPlainCluster } from '../../../clickhouse/testing/plain.ts';
import { materialize } from '../../../http-api/materialize/materialize.ts';
import { openDatabase } from '../../../http-api/queries/database.ts';
import { parseSettings } from '../../../http-api/settings.ts';
import { ClickHouse } from '../../../lib/clickhouse/client.ts';
import { openRunLock } from '../../../lib/clickhouse/run-lock/run-lock.ts';
import { writeTraces } from '../../harness/http-page.ts';
import { type Hook, hooked, losingEachResponse } from '../../harness/http-replica.ts';
import { startZooKeeper, type ZooKeeper } from '../../harness/keeper/zookeeper.ts';
import {
  install,
  type ResidentCluster,
  startResidentCluster,
  uninstallFrom,
} from '../../harness/resident/resident.ts';
import { runCommand } from '../../harness/resident/run-command.ts';
import { type System, startSystem } from '../../harness/system.ts';

/** With characters that ClickHouse could take for escapes. */
const SQL = "SELECT name\nFROM slice\n\tWHERE name != '\\n'";

let zooKeeper: ZooKeeper;
let system: System;
let traces: string;
let cluster: ResidentCluster;
let databases: ClickHouse[];

beforeAll(async () => {
  zooKeeper = await startZooKeeper(mkdtempSync(join(tmpdir(), 'bigtrace-keeper-')));
  traces = writeTraces({ 'a.json': ['one', 'two'], 'b.json': ['three'] });
  system = await startSystem({ workers: 1, traces });
  cluster = await startResidentCluster(system.orchestrator, 2, zooKeeper.port);
  databases = cluster.servers.map(
    ({ url, password }) => new ClickHouse({ url, username: 'admin', password }),
  );
});
afterAll(async () => {
  for (const database of databases ?? []) await database.close();
  await cluster?.stop();
  await system?.stop();
  await zooKeeper?.stop();
});

async function valuesOn(server: number, query: string): Promise<string> {
  const rows = (await databases[server]?.rows(query)) ?? [];
  return rows.map((row) => row.join(' ')).join(', ');
}

/** Brings the catalog up to date on one server, and waits until the other one has it. */
async function index(server: number): Promise<void> {
  const args = ['/local/*', '--orchestrator', system.orchestrator];
  const { code, stderr } = await runCommand(cluster, server, 'index', args).outcome;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await databases[1 - server]?.command('SYSTEM SYNC REPLICA bigtrace.trace_catalog');
}

/** Runs `bigtrace materialize` in this process, with its lock. */
async function run(server: number, name: string, hook: Hook = () => {}): Promise<void> {
  const { url = '', password = '' } = cluster.servers[server] ?? {};
  const database = openDatabase({ url, username: 'admin', password });
  const lock = await openRunLock(database, {
    ...{ name: `materialize ${name}`, onLost: () => {}, onWait: () => {} },
    signal: new AbortController().signal,
  });
  const settings = parseSettings([{ setting_id: 'traces', values: ['/local/*'] }]);
  try {
    const plan = { name, sql: SQL, settings, structure: 'name String' };
    await materialize(plan, hooked(database, hook), () => {}, lock);
  } finally {
    await lock.release();
    await database.close();
  }
}

const namesOf = (name: string): string =>
  `SELECT arrayStringConcat(arraySort(groupArray(name)), ' ') FROM bigtrace_results.${name}`;

async function stored(server: number, name: string): Promise<number> {
  await databases[server]?.command(`SYSTEM SYNC REPLICA bigtrace_results.${name}_rows`);
  return Number(await valuesOn(server, `SELECT count() FROM bigtrace_results.${name}_rows`));
}

test('install makes replicated tables, and may be repeated', async () => {
  const [{ url = '', password = '' } = {}] = cluster.servers;
  const flags = ['--bridge', cluster.bridge, '--bridge-token-file', cluster.tokenFile];
  await install(url, password, [...flags, '--replicated']);
  const engines = `SELECT DISTINCT engine FROM system.tables
    WHERE database = 'bigtrace' AND engine != 'View' ORDER BY engine`;
  for (const server of [0, 1]) {
    expect(await valuesOn(server, engines)).toBe(
      'KeeperMap, ReplicatedMergeTree, ReplicatedReplacingMergeTree',
    );
    expect(
      await valuesOn(server, "SELECT engine FROM system.databases WHERE name = 'bigtrace_results'"),
    ).toBe('Replicated');
  }
});

test('what one server has materialized, the other one has, and goes on with', async () => {
  await index(0);
  await run(0, 'slices');
  for (const server of [0, 1])
    expect(await valuesOn(server, namesOf('slices'))).toBe('one three two');
  const kinds = `SELECT name, engine FROM system.tables WHERE database = 'bigtrace_results' ORDER BY name`;
  expect(await valuesOn(1, kinds)).toBe('slices View, slices_rows ReplicatedMergeTree');
  const fresh = writeTraces({ 'a.json': ['other'], 'c.json': ['four'] });
  for (const name of ['a.json', 'c.json']) copyFileSync(join(fresh, name), join(traces, name));
  await index(1);
  await run(1, 'slices');
  for (const server of [0, 1]) {
    expect(await valuesOn(server, namesOf('slices'))).toBe('four other three');
    expect(await stored(server, 'slices')).toBe(3); // the replaced rows are deleted on both
  }
  expect(await valuesOn(0, 'SELECT count() FROM system.mutations WHERE NOT is_done')).toBe('0');
});

test('a reader of the other server sees all rows of a trace, or those before, at every moment', async () => {
  await run(0, 'read');
  const states = new Set<string>();
  let goesOn = true;
  const reader = (async () => {
    while (goesOn) states.add(await valuesOn(1, namesOf('read')));
  })();
  const wanted = ['four other three'];
  try {
    for (let round = 0; round < 4; round++) {
      const names = Array.from({ length: 50 }, (_, nth) => `r${round}x${nth}`);
      const fresh = writeTraces({ 'a.json': names });
      copyFileSync(join(fresh, 'a.json'), join(traces, 'a.json'));
      await index(0);
      await run(0, 'read');
      wanted.push(['four', ...names, 'three'].sort().join(' '));
    }
  } finally {
    goesOn = false;
    await reader;
  }
  expect([...states].filter((state) => !wanted.includes(state))).toEqual([]);
  expect(states.size).toBeGreaterThan(2);
  expect(await valuesOn(1, namesOf('read'))).toBe(wanted.at(-1));
});

test('what a run has left that ended after any change, the next run completes on the other server', async () => {
  const fresh = writeTraces({ 'a.json': ['one', 'two'] });
  copyFileSync(join(fresh, 'a.json'), join(traces, 'a.json'));
  await index(0);
  const left =
    "SELECT name FROM system.tables WHERE database = 'bigtrace_results' AND name LIKE 'lost%' ORDER BY name";
  await losingEachResponse(
    (hook) => run(0, 'lost', hook),
    async (about) => {
      await run(1, 'lost');
      for (const server of [0, 1]) {
        expect(await valuesOn(server, namesOf('lost')), about).toBe('four one three two');
        expect(await stored(server, 'lost'), about).toBe(4);
      }
      expect(await valuesOn(0, left), about).toBe('lost, lost_rows');
      await databases[1]?.command('DROP VIEW bigtrace_results.lost');
      await databases[1]?.command('DROP TABLE bigtrace_results.lost_rows');
    },
  );
});

test('while a server is down, the other one materializes; it gets the rows when it is back', async () => {
  const [, second] = cluster.servers;
  await run(0, 'down');
  second?.kill();
  const fresh = writeTraces({ 'b.json': ['three', 'more'] });
  copyFileSync(join(fresh, 'b.json'), join(traces, 'b.json'));
  const args = ['/local/*', '--orchestrator', system.orchestrator];
  expect(await runCommand(cluster, 0, 'index', args).outcome).toMatchObject({ code: 0 });
  // For some seconds ZooKeeper says that it is alive.
  await expect
    .poll(() => valuesOn(0, 'SELECT max(active_replicas) FROM system.replicas'), {
      timeout: 120_000,
    })
    .toBe('1');
  await run(0, 'down');
  await run(0, 'new');
  expect(await valuesOn(0, namesOf('down'))).toBe('four more one three two');
  await second?.restart();
  await expect
    .poll(() => valuesOn(1, namesOf('new')).catch(() => ''), { timeout: 120_000 })
    .toBe('four more one three two');
  await expect.poll(() => valuesOn(1, namesOf('down'))).toBe('four more one three two');
});

test('a Replicated database bigtrace gets the same tables, which it names itself', async () => {
  const own = await startZooKeeper(mkdtempSync(join(tmpdir(), 'bigtrace-keeper-')));
  const servers = await startPlainCluster(
    mkdtempSync(join(tmpdir(), 'bigtrace-own-')),
    2,
    own.port,
  );
  const flags = ['--bridge', cluster.bridge, '--bridge-token-file', cluster.tokenFile];
  const clients = servers.map(
    ({ url, password }) => new ClickHouse({ url, username: 'admin', password }),
  );
  try {
    for (const client of clients)
      await client.command(
        "CREATE DATABASE bigtrace ENGINE = Replicated('/databases/bigtrace', 'all', '{shard}-{replica}')",
      );
    const [first, second] = servers;
    if (first === undefined || second === undefined) throw new Error('two servers are started');
    await expect(install(first.url, first.password, flags)).rejects.toThrow(
      'the database bigtrace is Replicated: its servers would have the same tables, and other rows; pass --replicated',
    );
    for (const { url, password } of [first, second])
      await install(url, password, [...flags, '--replicated']);
    await clients[0]?.command(
      "INSERT INTO bigtrace.trace_catalog (address, store) VALUES ('/local/x', 'local')",
    );
    await clients[1]?.command('SYSTEM SYNC REPLICA bigtrace.trace_catalog');
    expect(await clients[1]?.rows('SELECT address FROM bigtrace.traces')).toEqual([['/local/x']]);
    const rows =
      "SELECT name FROM bigtrace.bigtrace(traces = ['/local/c.json'], sql = 'SELECT name FROM slice')";
    for (const client of clients) expect(await client.rows(rows)).toEqual([['four']]);
    await uninstallFrom(first.url, first.password);
    const left =
      "SELECT count() FROM system.tables WHERE database = 'bigtrace' AND engine = 'View'";
    expect(await clients[1]?.count(left)).toBe(0);
  } finally {
    for (const client of clients) await client.close();
    for (const each of servers) await each.stop();
    await own.stop();
  }
});
