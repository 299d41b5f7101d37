import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startOn, startTestEngine, type TestEngine } from '../testing/engine.ts';
import { setUpClickHouse } from './set-up.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
});

afterAll(() => t[Symbol.asyncDispose]());

function login(): { url: string; username: string; password: string } {
  const { httpAddress, passwords } = t.engine;
  return { url: `http://${httpAddress}`, username: 'admin', password: passwords.admin };
}

test('the set-up can be repeated', async () => {
  await expect(setUpClickHouse(login(), join(t.dist, 'clickhouse'))).resolves.toBeUndefined();
});

test('a rejected login is an error that names the server', async () => {
  const wrong = { ...login(), password: 'wrong' };
  await expect(setUpClickHouse(wrong, join(t.dist, 'clickhouse'))).rejects.toThrow(
    `ClickHouse at ${wrong.url}: admin: Authentication failed`,
  );
});

test('an unreachable server is an error that names it', async () => {
  const none = { ...login(), url: 'http://127.0.0.1:1' };
  await expect(setUpClickHouse(none, join(t.dist, 'clickhouse'))).rejects.toThrow(
    'ClickHouse at http://127.0.0.1:1: connect ECONNREFUSED',
  );
});

test('a server without the configuration is an error that names what is missing', async () => {
  const { dist } = t;
  await t.engine.stop();
  writeFileSync(join(dist, 'clickhouse/bigtrace_function.xml'), '<functions/>');
  await expect(startOn({ dataDir: join(t.directory, 'data'), dist })).rejects.toThrow(
    /has not the function bigtrace_schema: copy config\.d, users\.d and bigtrace_function\.xml/,
  );
});
