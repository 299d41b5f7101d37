/** Runs `bigtrace http-api` as a child process, without ClickHouse and without an orchestrator. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { ROOT } from '../lib/common/root.ts';

const directory = mkdtempSync(join(tmpdir(), 'bigtrace-http-api-'));
const tokenFile = join(directory, 'token');
writeFileSync(tokenFile, 'sesame\n');
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** Nothing listens at these ports. */
const PEERS = ['--orchestrator', '127.0.0.1:9', '--clickhouse', 'http://127.0.0.1:9'];

function run(...flags: string[]): ChildProcess {
  const args = [join(ROOT, 'cli/bigtrace.mjs'), 'http-api', '--json', '-s', '127.0.0.1:0'];
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
  const child = spawn(process.execPath, [...args, ...PEERS, ...flags], { stdio: [...stdio] });
  children.push(child);
  return child;
}

async function start(...flags: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = run(...flags);
  if (child.stdout === null) throw new Error('no stdout');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const ready = JSON.parse(line);
  const { address } = ready;
  expect(ready).toEqual({
    ...{ service: 'http-api', address, http: `http://${address}`, pid: child.pid },
  });
  return { child, url: ready.http };
}

test('the process serves HTTP although neither ClickHouse nor an orchestrator runs, and stops on SIGTERM', async () => {
  const { child, url } = await start();
  expect(await (await fetch(url)).json()).toMatchObject({ status: 'ok', traceCount: null });
  const page = await fetch(url, { headers: { accept: 'text/html' } });
  expect(page.headers.get('content-type')).toContain('text/html');
  const state = await fetch(`${url}/api/state`);
  expect([state.status, await state.json()]).toEqual([
    503,
    { detail: expect.stringContaining('cannot reach the orchestrator at 127.0.0.1:9') },
  ]);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test('the process exits when the process that started it disconnects', async () => {
  const { child } = await start();
  const exited = once(child, 'exit');
  child.disconnect();
  expect(await exited).toEqual([0, null]);
});

test('a client needs the token, except for CORS preflight requests', async () => {
  const { url } = await start('--token-file', tokenFile);
  const statusOf = async (authorization: string): Promise<number> =>
    (await fetch(url, { headers: { authorization } })).status;
  expect(await statusOf('')).toBe(401);
  expect(await statusOf('Bearer sesamE')).toBe(401);
  expect(await statusOf('Bearer sesame')).toBe(200);
  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: { origin: 'https://ui.perfetto.dev', 'access-control-request-method': 'POST' },
  });
  expect(preflight.status).toBe(204);
});

test('the process exits with a usage error when its presets file cannot be read', async () => {
  const child = run('--presets', '/no/such');
  const stderr = child.stderr?.toArray();
  expect((await once(child, 'exit'))[0]).toBe(2);
  expect(Buffer.concat((await stderr) ?? []).toString()).toContain('/no/such');
});
