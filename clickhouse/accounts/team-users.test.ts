import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rowsOf, startTestEngine, type TestEngine } from '../testing/engine.ts';
import { addTeamUser, readTeamUsers, removeTeamUser, type TeamUser } from './team-users.ts';

let t: TestEngine;
let dataDir: string;

beforeAll(async () => {
  t = await startTestEngine();
  dataDir = join(t.directory, 'data');
});

afterAll(() => t[Symbol.asyncDispose]());

function user(name: string, more: Partial<TeamUser> = {}): TeamUser {
  return { name, grants: [], queriesPerHour: undefined, secondsPerHour: undefined, ...more };
}

async function runQuery(username: string, file: string, query: string): Promise<unknown[][]> {
  const password = readFileSync(file, 'utf8').trim();
  const client = createClient({ url: `http://${t.engine.httpAddress}`, username, password });
  try {
    return await rowsOf(client, query);
  } finally {
    await client.close();
  }
}

test('a user reads, writes where granted, is limited by quotas, and persists across restarts', async () => {
  const reader = addTeamUser(dataDir, user('grafana', { queriesPerHour: 2 }), undefined);
  const grants = ['CREATE DATABASE ON reports.*', 'CREATE TABLE, INSERT, SELECT ON reports.*'];
  const writer = addTeamUser(dataDir, user('joe', { grants }), 'a password');
  expect(statSync(reader).mode & 0o777).toBe(0o600);
  for (let starts = 0; starts < 2; starts++) {
    await t.restart();
    expect(await runQuery('joe', writer, 'SELECT currentUser()')).toEqual([['joe']]);
    for (const query of ['SELECT count() FROM traces', 'SELECT user FROM system.processes'])
      expect(await runQuery('grafana', reader, query)).toHaveLength(1);
    await expect(runQuery('grafana', reader, 'SELECT count() FROM traces')).rejects.toThrow(
      /Quota for user/,
    );
  }
  const command = async (body: string): Promise<void> => {
    const password = readFileSync(writer, 'utf8').trim();
    const headers = { 'X-ClickHouse-User': 'joe', 'X-ClickHouse-Key': password };
    const url = `http://${t.engine.httpAddress}`;
    expect(await (await fetch(url, { method: 'POST', headers, body })).text()).toBe('');
  };
  const createTable = 'CREATE TABLE reports.t (n UInt8) ENGINE = MergeTree ORDER BY n';
  for (const query of ['CREATE DATABASE IF NOT EXISTS reports', createTable]) await command(query);
  expect(await runQuery('joe', writer, 'SELECT count() FROM reports.t')).toEqual([['0']]);
  await expect(runQuery('joe', writer, 'CREATE TABLE bigtrace.t AS reports.t')).rejects.toThrow(
    /Not enough privileges/,
  );
  removeTeamUser(dataDir, 'joe');
  expect(existsSync(writer)).toBe(false);
  await t.restart();
  expect(readTeamUsers(dataDir).map(({ name }) => name)).toEqual(['grafana']);
});

test.each(['admin', 'default', 'bigtrace_backend', 'a-b', '1a', '', 'a b', 'a</a>'])(
  'the user name %j is rejected',
  (name) => {
    expect(() => addTeamUser(dataDir, user(name), undefined)).toThrow(
      'is invalid: use letters, digits and _',
    );
  },
);

test.each([
  'ALL ON *.*',
  'SELECT',
  'SELECT ON *.*',
  'SELECT ON a.* TO b',
  'FILE ON a.*',
  'SELECT ON a.b;',
])('the grant %j is rejected', (grant) => {
  const one = user('ann', { grants: [grant] });
  expect(() => addTeamUser(dataDir, one, undefined)).toThrow(`--grant ${grant} must have the form`);
});
