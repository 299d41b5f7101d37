/** `bigtrace up --clickhouse-binary`, with a stand-in for the official program. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import {
  installStandIn,
  STAND_IN_VERSION,
  writeBinary,
} from '../../harness/clickhouse-binary/install.ts';
import { descendants, gone, type System, startSystem } from '../../harness/system.ts';

const COUNT = `SELECT count() FROM bigtrace(traces=['/local/linux/g*'], sql='SELECT ts FROM sched')`;
const ROWS = '2547\n';

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-binary-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

function start(dataDir: string, binary: string): Promise<System> {
  return startSystem({ dataDir, workers: 1, flags: ['--clickhouse-binary', binary] });
}

const serverOf = ({ processes }: System): number =>
  processes.find(({ name }) => name === 'clickhouse')?.pid ?? Number.NaN;

test('up serves with the binary that is named: confined, restarted when it dies, ended with up', async () => {
  const dataDir = temporary();
  const binary = installStandIn(dataDir);
  const first = await start(dataDir, binary);
  expect(first.stderr()).toContain(
    `bigtrace: ClickHouse: ${binary}, version ${STAND_IN_VERSION}, because --clickhouse-binary names it\n`,
  );
  const pid = serverOf(first);
  expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toContain(
    'server\0--config-file=config.xml\0--\0--path=../server-data\0--listen_host=127.0.0.1\0--http_port=',
  );
  expect(await first.sql(COUNT)).toBe(ROWS);
  const login = { headers: { 'X-ClickHouse-User': 'analyst', 'X-ClickHouse-Key': 'wrong' } };
  expect((await fetch(`${first.clickhouseHttp}/?query=SELECT+1`, login)).status).toBe(403);
  await expect(first.sql("SELECT file('/etc/passwd')")).rejects.toThrow('Permission denied');
  for (const path of ['clickhouse/etc', 'clickhouse/server-data'])
    expect(statSync(join(dataDir, path)).mode & 0o777).toBe(0o700);
  expect(existsSync(join(dataDir, 'clickhouse/data'))).toBe(false); // the embedded engine did not run
  expect(readFileSync(join(dataDir, 'logs/clickhouse.log'), 'utf8')).toContain(
    'Listening for http',
  );

  await first.sql('CREATE TABLE kept ENGINE = MergeTree ORDER BY n AS SELECT 42 AS n', {
    user: 'admin',
  });
  process.kill(pid, 'SIGKILL');
  await first.logged(new RegExp(`clickhouse \\(pid ${pid}\\) died: .*SIGKILL`));
  await first.logged(/clickhouse was restarted/);
  expect(await first.sql('SELECT n FROM kept', { user: 'admin' })).toBe('42\n');

  const family = descendants(first.pid);
  process.kill(first.pid, 'SIGKILL');
  await gone(family);
});

test('up refuses a binary that is too old', () => {
  const directory = temporary();
  const binary = writeBinary(directory, '26.3.1.896');
  const args = ['up', '--data-dir', join(directory, 'data'), '--clickhouse-binary', binary];
  const ports = ['clickhouse-http', 'clickhouse-tcp', 'orchestrator', 'http', 'worker'];
  const flags = ports.flatMap((name) => [`--${name}-port`, '0']);
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'cli/bigtrace.mjs'), ...args, ...flags],
    { encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([
    2,
    `bigtrace: ${binary} is ClickHouse 26.3.1.896, but bigtrace up needs 26.4 or later\n`,
  ]);
});
