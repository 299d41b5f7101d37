/** Tests of services with TLS and tokens, and of which clients they accept. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';

const BIN = join(ROOT, 'cli/bigtrace.mjs');
const directory = mkdtempSync(join(tmpdir(), 'bigtrace-secured-'));
const at = (name: string): string => join(directory, name);
const running: ChildProcess[] = [];
let orchestrator = '';
let httpApi = '';

/** Starts a service and returns the address on which it listens. */
async function start(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [BIN, ...args, '--json', '--log-level', 'silent'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return (JSON.parse(line) as { address: string }).address;
}

beforeAll(async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'fleet' }], {
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'fleet' }] },
    ],
  });
  writeFileSync(at('cert'), cert);
  writeFileSync(at('key'), key);
  writeFileSync(at('worker-token'), 'for workers\n');
  writeFileSync(at('token'), 'for everybody\n');
  const tls = ['--tls-cert', at('cert'), '--tls-key', at('key'), '-s', '0.0.0.0:0'];
  const traces = join(ROOT, 'samples/traces');
  const worker = await start(
    ...['worker', ...tls, '--token-file', at('worker-token'), '--traces', traces],
  );
  orchestrator = await start(
    ...['orchestrator', ...tls, '--token-file', at('token')],
    ...['-l', worker.replace('0.0.0.0', '127.0.0.1'), '--worker-token-file', at('worker-token')],
    ...['--worker-tls-ca', at('cert'), '--worker-tls-name', 'fleet'],
  );
  orchestrator = orchestrator.replace('0.0.0.0', '127.0.0.1');
  httpApi = await start(
    ...['http-api', '-s', '127.0.0.1:0', '--orchestrator', orchestrator],
    ...['--orchestrator-tls-ca', at('cert'), '--orchestrator-tls-name', 'fleet'],
    ...['--orchestrator-token-file', at('token')],
  );
});

afterAll(async () => {
  await Promise.all(
    running.map((child) => {
      child.kill('SIGINT');
      return child.exitCode === null ? once(child, 'exit') : undefined;
    }),
  );
  rmSync(directory, { recursive: true });
});

function query(...flags: string[]): Promise<{ stdout: string }> {
  const args = ['query', '--orchestrator', orchestrator, '--traces', '/local/linux/*'];
  const sql = ['--sql', 'SELECT 1 AS one', '--format', 'csv'];
  return promisify(execFile)(process.execPath, [BIN, ...args, ...sql, ...flags]);
}

const TLS = ['--tls-ca', at('cert'), '--tls-name', 'fleet'];

test('a client with the CA and the token gets rows from secured workers', async () => {
  const { stdout } = await query(...TLS, '--token-file', at('token'));
  expect(stdout).toMatch(/^_trace_address,one\n(\/local\/linux\/[\w.-]+,1\n){5,}$/);
});

test('the HTTP API reads traces through a secured orchestrator', async () => {
  const id = Buffer.from('/local/linux/idle.pftrace').toString('base64url');
  const response = await fetch(`http://${httpApi}/trace/${id}/idle.pftrace`);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(bytes.equals(readFileSync(join(ROOT, 'samples/traces/linux/idle.pftrace')))).toBe(true);
});

test('a client without the token or with another one is refused', async () => {
  const refused = {
    code: 1,
    stderr: expect.stringContaining('the bearer token is missing or wrong'),
  };
  await expect(query(...TLS)).rejects.toMatchObject(refused);
  await expect(query(...TLS, '--token-file', at('worker-token'))).rejects.toMatchObject(refused);
});

test('a client without TLS cannot connect', async () => {
  await expect(query('--token-file', at('token'))).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('cannot reach the orchestrator'),
  });
});

test('a worker without TLS refuses to listen on a non-loopback address', async () => {
  const args = ['worker', '-s', '0.0.0.0:0', '--token-file', at('token')];
  await expect(promisify(execFile)(process.execPath, [BIN, ...args])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('0.0.0.0:0 accepts connections from other machines'),
  });
});
