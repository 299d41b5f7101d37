/**
 * Tests the project's Dockerfile and compose.yaml with real traces. If no image registry can be reached, the base
 * images are stand-ins (containers/stand-ins, docs/deploy/compose.md).
 */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { VERSION } from '../../../lib/common/version.ts';
import { type Compose, inspect, newCompose, type Service } from '../../harness/compose.ts';

const run = promisify(execFile);
const SERVICES: Service[] = ['worker', 'orchestrator', 'http-api', 'clickhouse'];
const IMAGE_BYTES_MAX = 350 * 2 ** 20;

/** The first SQL query of the README, unchanged. */
const README_QUERY = /```sql\n([\s\S]*?)```/.exec(
  readFileSync(join(ROOT, 'README.md'), 'utf8'),
)?.[1];

let system: Compose;

beforeAll(async () => {
  system = await newCompose(join(ROOT, 'samples/traces'));
  await system.compose('up', '--no-build', '--detach', '--wait');
});
afterAll(() => system?.remove());

/** Runs a query with Debian's clickhouse-client outside the containers. */
async function native(query: string): Promise<string> {
  const { tcpPort, passwords } = system;
  const login = ['--host', '127.0.0.1', '--port', String(tcpPort), '--user', 'analyst'];
  const args = [...login, '--password', passwords.analyst, '--query', query];
  return (await run('clickhouse-client', args)).stdout;
}

/** Returns a query that takes some seconds; a new `upTo` makes it one whose results are not cached. */
function slowQuery(upTo: number): string {
  return `SELECT _trace_address, n
    FROM bigtrace_as(structure='n Int64', traces=['/local/**'], sql='
      WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ${upTo})
      SELECT count(*) AS n FROM c')
    ORDER BY 1 FORMAT TSV`;
}

describe('images', () => {
  it.each(SERVICES)(
    '%s runs as an ordinary user on a read-only root without capabilities',
    async (service) => {
      for (const id of await system.containers(service)) {
        const { Config, HostConfig } = inspect<{
          Config: { User: string; Healthcheck: object; Labels: Record<string, string> };
          HostConfig: { ReadonlyRootfs: boolean; CapDrop: string[]; Memory: number };
        }>(id);
        expect(Config.User).toMatch(/^[1-9]\d*:/);
        expect(Config.Healthcheck).toBeDefined();
        expect(Config.Labels['org.opencontainers.image.licenses']).toBe('Apache-2.0');
        expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'] });
        expect(HostConfig.Memory).toBeGreaterThan(0);
      }
    },
  );

  it.each(['worker', 'orchestrator', 'http-api'])(
    'the image of %s is small and contains no build tools',
    (service) => {
      const image = `bigtrace/${service}:${VERSION}`;
      expect(inspect<{ Size: number }>(image).Size).toBeLessThan(IMAGE_BYTES_MAX);
      const look = 'command -v npm gcc make python3; ls node_modules | grep -c esbuild; true';
      const args = ['run', '--rm', '--entrypoint', 'sh', image, '-c', look];
      expect(execFileSync('docker', args, { encoding: 'utf8' })).toBe('0\n');
    },
  );

  it('the clickhouse image has the same SQL files as the embedded engine', () => {
    execFileSync(process.execPath, [join(ROOT, 'tools/build/build.mjs')], { stdio: 'ignore' });
    const sums = 'md5sum *.sql';
    const cwd = join(ROOT, 'dist/clickhouse/sql');
    const own = execFileSync('sh', ['-c', sums], { cwd, encoding: 'utf8' });
    const script = `cd /opt/bigtrace/sql && ${sums}`;
    const args = [
      'run',
      '--rm',
      '--entrypoint',
      'sh',
      `bigtrace/clickhouse:${VERSION}`,
      '-c',
      script,
    ];
    expect(execFileSync('docker', args, { encoding: 'utf8' })).toBe(own);
    expect(own).toContain('bigtrace_where_lenient.sql');
  });

  it('images, logs and process lists contain no password', async () => {
    const [id = ''] = await system.containers('clickhouse');
    const history = [
      'history',
      '--no-trunc',
      '--format',
      '{{.CreatedBy}}',
      `bigtrace/clickhouse:${VERSION}`,
    ];
    const shown = [
      execFileSync('docker', history, { encoding: 'utf8' }),
      execFileSync('docker', ['top', id, '-eo', 'pid,args'], { encoding: 'utf8' }),
      await system.compose('logs'),
    ].join('\n');
    for (const password of Object.values(system.passwords)) expect(shown).not.toContain(password);
  });
});

describe('compose', () => {
  it('compose starts three workers, which run the engine that the images were built for', async () => {
    expect(await system.containers('worker')).toHaveLength(3);
    await system.workersReady(3);
    const command = ['exec', '-T', 'orchestrator', 'node', '/app/dist/bigtrace.js', 'status'];
    const runtime = process.env['BIGTRACE_ENGINE_RUNTIME'] ?? 'v8';
    expect(await system.compose(...command)).toMatch(RegExp(`^engine runtime: ${runtime}$`, 'm'));
  });

  it('the query of the README returns the same rows through the native client and over HTTP', async () => {
    const query = README_QUERY ?? '';
    const response = await native(query);
    expect(response.trimEnd().split('\n')).toHaveLength(10);
    expect(await system.sql(query)).toBe(response);
  });

  it('the HTTP API responds with its status and the number of traces in the catalog', async () => {
    const response = await fetch(`http://127.0.0.1:${system.pagePort}/`);
    expect(await response.json()).toMatchObject({ status: 'ok', traceCount: 0 });
  });

  it('ClickHouse refuses a request without a password', async () => {
    const response = await fetch(`http://127.0.0.1:${system.httpPort}/?query=SELECT+1`);
    expect(response.ok).toBe(false);
    expect(await response.text()).toContain('Authentication failed');
  });

  it('queries return the same rows with five workers, while scaling down, and after a worker is killed', async () => {
    const addresses = (await system.sql(slowQuery(10)))
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    expect(addresses.length).toBeGreaterThan(5);
    const expectedRow = (upTo: number): string =>
      addresses.map((address) => `${address}\t${upTo}\n`).join('');

    await system.compose('up', '--detach', '--no-recreate', '--wait', '--scale', 'worker=5');
    await system.workersReady(5);
    expect(await system.sql(slowQuery(100_001))).toBe(expectedRow(100_001));

    // Scale down during a query: workers drain, or their unfinished tasks are retried.
    const [whileScaling] = await Promise.all([
      system.sql(slowQuery(2_000_002)),
      system.compose('up', '--detach', '--no-recreate', '--scale', 'worker=2'),
    ]);
    expect(whileScaling).toBe(expectedRow(2_000_002));
    await system.workersReady(2);

    const [victim = ''] = await system.containers('worker');
    const [whileKilling] = await Promise.all([
      system.sql(slowQuery(2_000_003)),
      busy(victim).then(() =>
        process.kill(inspect<{ State: { Pid: number } }>(victim).State.Pid, 'SIGKILL'),
      ),
    ]);
    expect(whileKilling).toBe(expectedRow(2_000_003));

    // The restart policy starts the killed worker again.
    await system.workersReady(2);
    expect(inspect<{ RestartCount: number }>(victim).RestartCount).toBe(1);
  });

  it('tables survive `compose down` and `compose up`', async () => {
    const count = 'SELECT count(), sum(dur) FROM kept';
    await system.sql(
      `CREATE TABLE kept ENGINE = MergeTree ORDER BY name AS SELECT coalesce(name, '') AS name, dur
       FROM bigtrace(traces=['/local/linux/*'], sql='SELECT name, dur FROM slice')`,
      'admin',
    );
    const before = await system.sql(count);
    expect(before).toMatch(/^\d{4,}\t/);
    await system.compose('down');
    await system.compose('up', '--detach', '--wait');
    expect(await system.sql(count)).toBe(before);
    expect(await native(README_QUERY ?? '')).not.toBe('');
  });

  it('after SIGTERM a running query completes, and the services exit with code 0', async () => {
    const workers = await system.containers('worker');
    const [orchestrator = ''] = await system.containers('orchestrator');
    const query = system.sql(slowQuery(500_004));
    const [response] = await Promise.all([
      query,
      Promise.race(workers.map(busy)).then(() => system.compose('stop', 'orchestrator')),
    ]);
    expect(response.trimEnd().split('\n').length).toBeGreaterThan(5);
    const [httpApi = ''] = await system.containers('http-api');
    await system.compose('stop', 'worker', 'http-api');
    for (const id of [orchestrator, httpApi, ...workers])
      expect(inspect<{ State: { ExitCode: number } }>(id).State.ExitCode).toBe(0);
  });
});

/**
 * Waits until the container uses at least 20 % of a core.
 * @throws if that does not happen within 30 s
 */
async function busy(id: string): Promise<void> {
  const stats = ['stats', '--no-stream', '--format', '{{.CPUPerc}}', id];
  const end = Date.now() + 30_000;
  while (Number.parseFloat((await run('docker', stats)).stdout) < 20)
    if (Date.now() > end) throw new Error(`${id} has nothing to do`);
}
