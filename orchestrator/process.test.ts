/** Runs `bigtrace orchestrator` as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import * as grpc from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { ROOT } from '../lib/common/root.ts';
import { BigtraceOrchestrator } from '../lib/proto/services.ts';
import { type Script, StubWorker } from './testing/stub-worker.ts';

const BIN = join(ROOT, 'cli/bigtrace.mjs');
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function spawnService(flags: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
  const args = [BIN, 'orchestrator', '--json', '-s', '127.0.0.1:0', ...flags];
  const child = spawn(process.execPath, args, {
    stdio: [...stdio],
    env: { ...process.env, ...env },
  });
  children.push(child);
  return child;
}

async function start(flags: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawnService(flags, env);
  if (child.stdout === null) throw new Error('no stdout');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, ready: JSON.parse(line) as { service: string; address: string; pid: number } };
}

test('the process prints its address, and on SIGTERM exits after the running query has finished', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const script: Script = async ({ rows }) => {
    await held;
    rows('answer', true);
  };
  const worker = await new StubWorker({ script }).start();
  const { child, ready } = await start(['-l', worker.address, '--drain-timeout', '20s']);
  expect(ready).toEqual({
    service: 'orchestrator',
    address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    pid: child.pid,
  });
  const client = new BigtraceOrchestrator(ready.address, grpc.credentials.createInsecure());
  const call = client.Query();
  call.write({ start: { sql: Buffer.from('SELECT 1') } });
  call.write({ traces: { address: [Buffer.from('/local/a')] } });
  call.end();
  const firstEvent = once(call, 'data');
  const ended = once(call, 'status');
  await expect.poll(() => worker.seen, { timeout: 20_000 }).toEqual(['/local/a']);
  child.kill('SIGTERM');
  release();
  await firstEvent;
  expect((await ended)[0]).toMatchObject({ code: grpc.status.OK });
  if (child.exitCode === null) await once(child, 'exit');
  expect(child.exitCode).toBe(0);
  client.close();
  worker.kill();
});

test('the orchestrator exits when the process that started it disconnects', async () => {
  const { child } = await start(['-l', '127.0.0.1:9']);
  const exited = once(child, 'exit');
  child.disconnect();
  expect(await exited).toEqual([0, null]);
});

test('the orchestrator exits when the process that started it disconnects before it is ready', async () => {
  const child = spawnService(['-l', '127.0.0.1:9']);
  const exited = once(child, 'exit');
  child.disconnect();
  expect(await exited).toEqual([0, null]);
});

test('a Node.js warning is logged as one JSON line', async () => {
  const warns = "process.on('message', (text) => process.emitWarning(text))";
  const preload = `--import data:text/javascript,${encodeURIComponent(warns)}`;
  const { child } = await start(['-l', '127.0.0.1:9'], { NODE_OPTIONS: preload });
  const lines = createInterface(child.stderr as Readable);
  child.send('three traces\nare too many');
  for await (const line of lines) {
    const entry = JSON.parse(line) as { service: string; msg: string; err?: { message: string } };
    if (entry.msg !== 'Node warns') continue;
    expect(entry).toMatchObject({
      service: 'orchestrator',
      err: { message: 'three traces\nare too many' },
    });
    return;
  }
  throw new Error('no such line came');
});

/** Returns the exit code and the stderr of a service that fails to start. */
async function failedStart(...args: string[]): Promise<[code: number, stderr: string]> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece.toString();
  });
  return [(await once(child, 'close'))[0] as number, stderr];
}

test('a service exits with a usage error that names the port when a port is in use', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const port = String((taken.address() as AddressInfo).port);
  const own = ['-s', '127.0.0.1:0'];
  const ended = await Promise.all([
    failedStart('orchestrator', '-l', '127.0.0.1:9', '-s', `127.0.0.1:${port}`),
    failedStart('orchestrator', '-l', '127.0.0.1:9', ...own, '--metrics-port', port),
    failedStart('http-api', '-s', `127.0.0.1:${port}`),
    failedStart('http-api', ...own, '--metrics-port', port),
    failedStart('worker', '-s', `127.0.0.1:${port}`),
    failedStart('worker', ...own, '--metrics-port', port),
  ]);
  for (const [code, stderr] of ended) {
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`cannot listen .*127.0.0.1:${port}`));
  }
  taken.close();
});
