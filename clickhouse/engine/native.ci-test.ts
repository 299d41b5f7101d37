import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasLeft } from '../../lib/common/network/client-connection.ts';
import { clientsOf, columnless } from '../testing/columnless.ts';
import { endless, untilGone } from '../testing/endless.ts';
import { call, startTestEngine, type TestEngine } from '../testing/engine.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
});

afterAll(() => t[Symbol.asyncDispose]());

function client(query: string): [string, string[]] {
  const port = t.engine.tcpAddress.split(':').at(-1) ?? '';
  const login = ['--user', 'analyst', '--password', t.engine.passwords.analyst];
  return ['clickhouse-client', ['--port', port, ...login, '--query', query]];
}

test('a native client receives rows', async () => {
  const table = call('a Nullable(Int64)', 'row /local/a a=9223372036854775807; end');
  const { stdout } = await promisify(execFile)(...client(`SELECT * FROM ${table}`));
  expect(stdout).toBe('/local/a\t9223372036854775807\n');
});

test('a native client receives the error', async () => {
  const table = call('!no such trace', '');
  const failure = await promisify(execFile)(...client(`SELECT * FROM ${table}`)).catch(String);
  expect(failure).toContain('no such trace (sql_failed)');
});

test('Ctrl-C in a native client ends the script', async () => {
  const { query, pid } = endless(t);
  const process = spawn(...client(query));
  const closed = once(process, 'close');
  const script = await pid();
  process.kill('SIGINT');
  await untilGone(script);
  await closed;
});

test('killing a native client ends the script', async () => {
  const { query, pid } = endless(t);
  const process = spawn(...client(query));
  const script = await pid();
  process.kill('SIGKILL');
  await untilGone(script);
});

test.each(['SIGINT', 'SIGKILL'] as const)(
  'a native client that gets %s during column finding is visible as gone',
  async (signal) => {
    const { query, found } = columnless(t);
    const process = spawn(...client(query));
    const closed = once(process, 'close');
    const about = async () => (await clientsOf(t)).find(({ isNative }) => isNative);
    let seen = await about();
    while (seen === undefined) {
      await sleep(20);
      seen = await about();
    }
    const pid = `${t.engine.pid}`;
    // Data that the client sent with its query stays unread for a moment.
    while (await hasLeft(seen, pid)) await sleep(20);
    process.kill(signal);
    while (!(await hasLeft(seen, pid))) await sleep(20);
    found();
    await closed;
  },
);
