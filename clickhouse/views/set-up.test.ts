import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, rowsOf, startOn, startTestEngine, type TestEngine } from '../testing/engine.ts';
import { COMMENTS, DESCRIPTIONS } from './descriptions.mjs';
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

test('every table and view has a comment, and bigtrace.help lists it', async () => {
  const objects = "SELECT name, comment FROM system.tables WHERE database = 'bigtrace'";
  const comments = new Map((await rowsOf(t.as('analyst'), objects)) as [string, string][]);
  const here = new Set(DESCRIPTIONS.map(({ name }) => name));
  expect(comments).toEqual(new Map([...COMMENTS].filter(([name]) => here.has(name))));
  expect([...comments.keys()].sort()[0]).toBe('about');
  const listed = await rowsOf(t.as('analyst'), 'SELECT name FROM bigtrace.help');
  expect(listed.map(([name]) => name).sort()).toEqual(
    [...comments.keys(), 'bigtrace_schema'].sort(),
  );
});

test('information_schema shows an analyst the tables and their comments', async () => {
  const query = `SELECT TABLE_NAME, TABLE_COMMENT FROM INFORMATION_SCHEMA.TABLES
    WHERE table_schema = 'bigtrace' AND table_name = 'traces'`;
  expect(await rowsOf(t.as('analyst'), query)).toEqual([['traces', COMMENTS.get('traces')]]);
  const columns = `SELECT count() FROM information_schema.columns
    WHERE table_schema = 'bigtrace' AND table_name = 'progress'`;
  expect(await rowsOf(t.as('analyst'), columns)).toEqual([['18']]);
});

test('the views can be called in the database `default`', async () => {
  const table = call('a Nullable(Int64)', 'row /local/a a=1; end');
  const address = `http://${t.engine.httpAddress}/?database=default&default_format=TSV`;
  const headers = {
    'X-ClickHouse-User': 'analyst',
    'X-ClickHouse-Key': t.engine.passwords.analyst,
  };
  const response = await fetch(address, {
    method: 'POST',
    headers,
    body: `SELECT * FROM ${table}`,
  });
  expect(await response.text()).toBe('/local/a\t1\n');
});

test('the set-up restores comments, and leaves alone what others have created in `default`', async () => {
  const admin = t.as('admin');
  for (const query of [
    "ALTER TABLE bigtrace.trace_catalog MODIFY COMMENT ''",
    'DROP VIEW default.bigtrace_where',
    'CREATE TABLE default.bigtrace_where (n UInt8) ENGINE = Memory',
  ])
    await admin.command({ query });
  await setUpClickHouse(login(), join(t.dist, 'clickhouse'));
  const state = `SELECT engine FROM system.tables WHERE database = 'default' AND name = 'bigtrace_where'
    UNION ALL SELECT comment FROM system.tables WHERE database = 'bigtrace' AND name = 'trace_catalog'`;
  const comment = [COMMENTS.get('trace_catalog')];
  expect(new Set(await rowsOf(admin, state))).toEqual(new Set([['Memory'], comment]));
  await admin.command({ query: 'DROP TABLE default.bigtrace_where' });
  await setUpClickHouse(login(), join(t.dist, 'clickhouse'));
  expect(new Set(await rowsOf(admin, state))).toEqual(new Set([['View'], comment]));
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
    'ClickHouse at http://127.0.0.1:1 cannot be reached: connect ECONNREFUSED',
  );
});

test('a server without the configuration is an error that names what is missing', async () => {
  const { dist } = t;
  await t.engine.stop();
  writeFileSync(join(dist, 'clickhouse/bigtrace_function.xml'), '<functions/>');
  await expect(startOn({ dataDir: join(t.directory, 'data'), dist })).rejects.toThrow(
    /lacks the function bigtrace_schema: copy config\.d, users\.d and bigtrace_function\.xml/,
  );
});
