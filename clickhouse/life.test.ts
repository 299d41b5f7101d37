import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { call, rowsOf, startOn, startTestEngine, type TestEngine } from './testing/engine.ts';

let t: TestEngine;

beforeEach(async () => {
  t = await startTestEngine();
});

afterEach(() => t[Symbol.asyncDispose]());

const portOf = (address: string): number => Number(address.split(':').at(-1));

/** Of all its threads. */
function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const texts = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'));
  return texts.flatMap((text) => text.split(' ').filter(Boolean).map(Number));
}

async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; existsSync(`/proc/${pid}`) && tries < 200; tries++) await sleep(10);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
}

test('it says how it died', async () => {
  process.kill(t.engine.pid, 'SIGKILL');
  expect((await t.engine.exited).how).toBe('signal SIGKILL');
});

test('stopping it leaves no process and no port', async () => {
  const { pid, httpAddress } = t.engine;
  const started = performance.now();
  await t.engine.stop();
  expect(performance.now() - started).toBeLessThan(3_000);
  await untilGone(pid);
  await expect(fetch(`http://${httpAddress}/ping`)).rejects.toThrow();
});

test('KILL QUERY of everything does not end it', async () => {
  const admin = t.as('admin');
  await admin.command({ query: "KILL QUERY WHERE query LIKE 'SELECT sleepEachRow%' SYNC" });
  const kept = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%'";
  while ((await rowsOf(admin, kept))[0]?.[0] !== '1') await sleep(10);
  expect(existsSync(`/proc/${t.engine.pid}`)).toBe(true);
});

test('it does not outlive a parent that is killed', async () => {
  const dataDir = join(t.directory, 'other');
  mkdirSync(dataDir);
  const options = {
    ...{ dataDir, dist: t.dist, listen: '127.0.0.1', httpPort: 0, tcpPort: 0 },
    ...{ orchestrator: '127.0.0.1:1', passwords: {}, env: {} },
  };
  const launch = pathToFileURL(join(t.dist, 'launch.js')).href;
  const program = `const { startEmbeddedClickHouse } = await import('${launch}');
    console.log((await startEmbeddedClickHouse(${JSON.stringify(options)})).pid);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program]);
  const pid = Number(String((await once(parent.stdout, 'data'))[0]));
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await untilGone(pid);
});

test('a port that is taken is named', async () => {
  const dataDir = join(t.directory, 'other');
  mkdirSync(dataDir);
  const httpPort = portOf(t.engine.httpAddress);
  await expect(startOn({ dataDir, dist: t.dist }, { httpPort })).rejects.toThrow(
    `clickhouse cannot listen: listen EADDRINUSE: address already in use 127.0.0.1:${httpPort}`,
  );
});

test('a second one on the same data is refused', async () => {
  await expect(startOn({ dataDir: join(t.directory, 'data'), dist: t.dist })).rejects.toThrow(
    /clickhouse did not start .*Another server instance/s,
  );
});

test('a pool process that dies costs one query an error, and no more', async () => {
  const analyst = t.as('analyst');
  const query = `SELECT * FROM ${call('a Nullable(Int64)', 'printf "0\\t/local/a\\t1\\nEND\\n"')}`;
  expect(await rowsOf(analyst, query)).toEqual([['/local/a', '1']]);
  for (const pid of childrenOf(t.engine.pid)) process.kill(pid, 'SIGKILL');
  await expect(rowsOf(analyst, query)).rejects.toThrow(/bigtrace_schema|terminated by signal/);
  expect(await rowsOf(analyst, query)).toEqual([['/local/a', '1']]);
});
