/** A worker on arm64, which QEMU emulates, with the bundle of the images; the other services run on this machine. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../lib/common/root.ts';

const BIN = join(ROOT, 'dist/bigtrace.js');
const services: ChildProcess[] = [];

/** Starts a service; returns its address. */
async function start(node: string, name: string, ...flags: string[]): Promise<string> {
  const args = [BIN, name, '--json', '-s', '127.0.0.1:0', ...flags];
  const service = spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  services.push(service);
  for await (const line of createInterface(service.stdout))
    return (JSON.parse(line) as { address: string }).address;
  throw new Error(`${name} ended before it was ready`);
}

let node = '';
let orchestrator = '';

beforeAll(async () => {
  node = execFileSync(join(ROOT, 'test/arm64/node.sh'), { encoding: 'utf8' }).trim();
  const traces = join(ROOT, 'samples/traces');
  const worker = await start(node, 'worker', '--threads', '1', '--traces', traces);
  orchestrator = await start(process.execPath, 'orchestrator', '--workers', worker);
});
afterAll(async () => {
  for (const service of services.reverse()) {
    service.kill();
    if (service.exitCode === null) await once(service, 'exit');
  }
});

test('the Node that runs the worker is one for arm64', () => {
  expect(execFileSync(node, ['-p', 'process.arch'], { encoding: 'utf8' })).toBe('arm64\n');
});

test('a worker on arm64 returns the rows of a trace, and of it again when it is loaded', () => {
  for (const count of ['count(*)', 'count(1)']) {
    const sql = `SELECT (SELECT ${count} FROM slice) AS slices, (SELECT ${count} FROM sched) AS sched`;
    const args = ['query', '--orchestrator', orchestrator, '--format', 'tsv', '--sql', sql];
    const traces = ['--traces', '/local/linux/atrace-print.pftrace'];
    const rows = execFileSync(process.execPath, [BIN, ...args, ...traces], { encoding: 'utf8' });
    expect(rows).toBe(
      '_trace_address\tslices\tsched\n/local/linux/atrace-print.pftrace\t2795\t5648\n',
    );
  }
});
