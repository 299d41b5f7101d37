/** Tests of `bigtrace up` as a supervisor: restarts, duplicate starts, shutdown, errors of the command line. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { descendants, gone, listens, startSystem } from '../../harness/system.ts';
import { statusOf } from '../../harness/workers.ts';

const COUNT = `SELECT count() FROM bigtrace(traces=['/local/linux/g*'], sql='SELECT ts FROM sched')`;
const ROWS = '2547\n';

function bigtrace(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [join(ROOT, 'cli/bigtrace.mjs'), ...args], {
    encoding: 'utf8',
  });
}

function pidOf(name: string, processes: { name: string; pid: number }[]): number {
  return processes.find((each) => each.name === name)?.pid ?? Number.NaN;
}

it('bigtrace up refuses a second start, and reports and restarts a process that died', async () => {
  await using system = await startSystem();
  const twice = bigtrace('up', '--data-dir', system.dataDir);
  expect(twice.stderr).toBe(
    `bigtrace: --data-dir ${system.dataDir} is in use by another bigtrace up (pid ${system.pid})\n`,
  );
  expect(twice.status).toBe(2);
  const dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-e2e-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const { port } = new URL(system.clickhouseHttp);
  const taken = bigtrace('up', '--data-dir', dataDir, '--clickhouse-http-port', port);
  expect(taken.stderr).toBe(
    `bigtrace: port ${port} of 127.0.0.1 is in use; choose another with --clickhouse-http-port (0 picks a free one)\n`,
  );
  expect(taken.status).toBe(2);
  for (const name of ['worker-2', 'orchestrator', 'http-api', 'clickhouse']) {
    const pid = pidOf(name, system.processes);
    process.kill(pid, 'SIGKILL');
    await system.logged(new RegExp(`${name} \\(pid ${pid}\\) died: .*SIGKILL`));
    await system.logged(new RegExp(`${name} was restarted`));
  }
  await expect.poll(() => system.sql(COUNT).catch(String), { timeout: 20_000 }).toBe(ROWS);
});

it('bigtrace up restarts a process that no longer responds', async () => {
  await using system = await startSystem();
  for (const name of ['worker-2', 'orchestrator', 'clickhouse']) {
    const pid = pidOf(name, system.processes);
    const stopped = performance.now();
    process.kill(pid, 'SIGSTOP');
    await system.logged(new RegExp(`${name} \\(pid ${pid}\\) does not respond: `));
    await system.logged(new RegExp(`${name} was restarted`));
    console.log(`${name}: healed after ${Math.round((performance.now() - stopped) / 1000)} s`);
  }
  await expect.poll(() => system.sql(COUNT).catch(String), { timeout: 20_000 }).toBe(ROWS);
});

it.each(['HTTP', 'TCP'])(
  'bigtrace up restarts ClickHouse when its %s listener is closed',
  async (listener) => {
    await using system = await startSystem();
    await system.sql(`SYSTEM STOP LISTEN ${listener}`, { user: 'admin' });
    await system.logged(/clickhouse \(pid \d+\) does not respond: /);
    await system.logged(/clickhouse was restarted/);
    expect(await system.sql('SELECT 1')).toBe('1\n');
    expect(await listens(system.clickhouseTcp)).toBe(true);
  },
);

it('all processes end when bigtrace up is killed, and tables and passwords are kept', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-e2e-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const first = await startSystem({ dataDir });
  await first.sql('CREATE TABLE kept ENGINE = MergeTree ORDER BY n AS SELECT 42 AS n', {
    user: 'admin',
  });
  const family = descendants(first.pid);
  process.kill(first.pid, 'SIGKILL');
  await gone(family);
  await using second = await startSystem({ dataDir });
  expect(second.analystPassword).toBe(first.analystPassword);
  expect(await second.sql('SELECT n FROM kept', { user: 'admin' })).toBe('42\n');
});

it('a query that ran before a restart is served from the result cache on disk', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-e2e-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const first = await startSystem({ dataDir, workers: 2 });
  expect(await first.sql(COUNT)).toBe(ROWS);
  await first.stop();
  await using second = await startSystem({ dataDir, workers: 2 });
  expect(await second.sql(COUNT)).toBe(ROWS);
  const counted = (await Promise.all(second.workers.map(statusOf))).map(({ counters }) => counters);
  const sum = (name: string): number =>
    counted.reduce((total, counters) => total + (counters[name] ?? 0), 0);
  expect(['tier_parse', 'tier_snapshot', 'tier_loaded'].map(sum)).toEqual([0, 0, 0]);
  expect(sum('results_from_disk')).toBeGreaterThan(0);
});

it('the error for an invalid option names the flag and its bounds', () => {
  for (const [args, message] of [
    [['up', '--workers', '0'], /--workers <n>' argument '0' is invalid\. .*from 1 to 64/],
    [['up', '--worker-port', '65536'], /--worker-port <port>' .*from 0 to 65535/],
    [['up', '--clickhouse', 'nowhere'], /--clickhouse nowhere must be a URL/],
    [['up', '--wrkers', '3'], /unknown option '--wrkers'/],
    [['query', '--sql', 'SELECT 1'], /no traces given; use --traces or --where/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['worker', '--threads', 'many'], /--threads <n>' argument 'many' is invalid/],
  ] as const) {
    const { stderr, stdout, status } = bigtrace(...args);
    expect(stderr).toMatch(message);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
  }
});
