/**
 * Clients of ClickHouse that people bring, against one system: each describes, aggregates, joins, binds parameters, streams,
 * cancels, and gets exact values and the text of an error. `CLIENTS=native,node npm run test:clients` runs only these.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addTeamUser } from '../../clickhouse/accounts/team-users.ts';
import { ROOT } from '../../lib/common/root.ts';
import { type System, startSystem } from '../harness/system.ts';
import { pythonPrograms } from './python-environment.ts';
import { ANSWERS, type Answers, QUESTIONS } from './questions.ts';

const PROGRAMS = join(ROOT, 'test/clients/programs');

type Program = () => Promise<string[]> | string[];

const python =
  (file: string): Program =>
  () => [join(pythonPrograms(), 'python'), join(PROGRAMS, file)];
const node =
  (file: string): Program =>
  () => [process.execPath, join(PROGRAMS, file)];

const CLIENTS: Record<string, Program> = {
  native: node('native_client.mjs'),
  node: node('node_client.mjs'),
  connect: python('clickhouse_connect_client.py'),
  driver: python('clickhouse_driver_client.py'),
  sqlalchemy: python('sqlalchemy_client.py'),
};

let system: System;
let samples: { aggregate: string; join: string };

const WRITER = { name: 'ann', password: 'a password' };
const dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-clients-'));

beforeAll(async () => {
  const bounds = { queriesPerHour: undefined, secondsPerHour: undefined };
  addTeamUser(dataDir, { ...bounds, name: WRITER.name, grants: ['analyst_rw'] }, WRITER.password);
  system = await startSystem({ workers: 1, threads: 2, dataDir });
  const numberOf = async (query: string): Promise<string> =>
    (await system.sql(query, { settings: { database: 'bigtrace' } })).trim();
  samples = {
    aggregate: await numberOf(QUESTIONS.aggregate),
    join: await numberOf(QUESTIONS.join),
  };
  expect(Number(samples.join)).toBeGreaterThan(1);
});

afterAll(async () => {
  await system?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Runs a statement as a user with the role analyst_rw. @throws the text of ClickHouse's error */
async function asWriter(body: string): Promise<string> {
  const headers = { 'X-ClickHouse-User': WRITER.name, 'X-ClickHouse-Key': WRITER.password };
  const response = await fetch(system.clickhouseHttp, { method: 'POST', headers, body });
  const text = (await response.text()).trim();
  if (!response.ok) throw new Error(text);
  return text;
}

test('analyst_rw keeps tables, views and refreshed results of bigtrace() in its own database', async () => {
  const traces = "bigtrace.bigtrace(traces = ['/local/linux/*'], sql = 'SELECT 7 AS n')";
  for (const statement of [
    'CREATE DATABASE IF NOT EXISTS analyst_rw',
    `CREATE TABLE analyst_rw.t ENGINE = MergeTree ORDER BY _trace_address AS SELECT * FROM ${traces}`,
    `INSERT INTO analyst_rw.t SELECT _trace_address, n + 1 FROM ${traces}`,
    `CREATE VIEW analyst_rw.v AS SELECT * FROM ${traces}`,
    `CREATE MATERIALIZED VIEW analyst_rw.m REFRESH EVERY 1 YEAR ENGINE = MergeTree ORDER BY _trace_address
       EMPTY AS SELECT * FROM ${traces}`,
    'SYSTEM REFRESH VIEW analyst_rw.m',
    'SYSTEM WAIT VIEW analyst_rw.m',
  ])
    expect(await asWriter(statement)).toBe('');
  const count = Number(samples.join);
  const sums = ['t', 'v', 'm'].map((name) => `(SELECT sum(n) FROM analyst_rw.${name})`);
  expect(await asWriter(`SELECT ${sums.join(', ')}`)).toBe(
    [15 * count, 7 * count, 7 * count].join('\t'),
  );
  expect(await asWriter('EXPLAIN SELECT * FROM analyst_rw.v')).not.toBe('');
  await expect(asWriter('DROP VIEW bigtrace.help')).rejects.toThrow('Not enough privileges');
  await expect(system.sql('SELECT * FROM analyst_rw.t')).rejects.toThrow('Not enough privileges');
});

const named = process.env['CLIENTS']?.split(',');
const chosen = named ?? Object.keys(CLIENTS);

describe.each(chosen)('%s', (name) => {
  let answers: Answers;

  beforeAll(async () => {
    const program = CLIENTS[name];
    if (program === undefined) throw new Error(`there is no client ${name}`);
    const [file = '', ...args] = await program();
    const { stdout } = await promisify(execFile)(file, args, {
      env: {
        ...process.env,
        QUESTIONS: JSON.stringify(QUESTIONS),
        HTTP_PORT: new URL(system.clickhouseHttp).port,
        TCP_PORT: system.clickhouseTcp.split(':')[1],
        PASSWORD: system.analystPassword,
      },
      timeout: 540_000,
      maxBuffer: 2 ** 24,
    });
    answers = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answers;
  });

  test('describes', () => expect(answers.describe).toEqual(ANSWERS.describe));
  test('aggregates', () => expect(answers.aggregate).toBe(samples.aggregate));
  test('joins two calls', () => expect(answers.join).toBe(samples.join));
  test('gets the text of an error', () => expect(answers.error).toMatch(ANSWERS.error));
  test('binds parameters', () => expect(answers.bind).toBe(ANSWERS.bind));
  test('reads extremes, NULL, blobs and invalid UTF-8', () =>
    expect(answers.values).toEqual(ANSWERS.values));
  test('streams 1,000,000 rows', () => expect(answers.stream).toEqual(ANSWERS.stream));
  test('cancels', () => expect(answers.cancel).toMatch(ANSWERS.cancel));
});
