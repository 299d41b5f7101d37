/**
 * Clients of ClickHouse that people bring, against one system: each describes, aggregates, joins, binds parameters, streams,
 * cancels, and gets exact values and the text of an error; then the example of its page runs. The dear ones are left out
 * unless CLIENTS names them: `CLIENTS=node,rust npm run test:clients`. `npm run test:clients:all` runs all.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addTeamUser } from '../../clickhouse/accounts/team-users.ts';
import { ROOT } from '../../lib/common/root.ts';
import { type System, startSystem } from '../harness/system.ts';
import { CLIENTS } from './clients.ts';
import { buildOpenapiClient, buildRedocly } from './compilers.ts';
import { exampleOf, pageOf, type Server } from './examples.ts';
import { pythonPrograms } from './python-environment.ts';
import { ANSWERS, type Answers, QUESTIONS } from './questions.ts';

const run = promisify(execFile);

let system: System;
let samples: { aggregate: string; join: string; slice: string };

const WRITER = { name: 'ann', password: 'a password' };
const dataDir = mkdtempSync(join(tmpdir(), 'bigtrace-clients-'));

beforeAll(async () => {
  const bounds = { queriesPerHour: undefined, secondsPerHour: undefined };
  addTeamUser(dataDir, { ...bounds, name: WRITER.name, grants: ['analyst_rw'] }, WRITER.password);
  system = await startSystem({ workers: 1, threads: 2, dataDir });
  const answerTo = async (query: string): Promise<string> =>
    (await system.sql(query, { settings: { database: 'bigtrace' } })).trim();
  samples = {
    aggregate: await answerTo(QUESTIONS.aggregate),
    join: await answerTo(QUESTIONS.join),
    slice: await answerTo(
      "SELECT name FROM bigtrace(traces = ['/local/linux/*'], sql = 'SELECT name FROM slice') GROUP BY name ORDER BY count() DESC LIMIT 1",
    ),
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

const DBT = join(ROOT, 'test/clients/programs/dbt');

/** Runs `dbt build` as a user with the role analyst_rw, and returns what it printed. */
async function dbtBuild(directory: string): Promise<string> {
  const program = join(pythonPrograms('requirements-dear-lock.txt'), 'dbt');
  const args = [
    'build',
    '--no-use-colors',
    '--project-dir',
    directory,
    '--profiles-dir',
    directory,
  ];
  const { stdout } = await run(program, args, {
    env: {
      ...process.env,
      ...environment(),
      WRITER_PASSWORD: WRITER.password,
      DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
    },
    cwd: directory,
  });
  return stdout;
}

async function testDbt(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-dbt-'));
  cpSync(DBT, directory, { recursive: true });
  try {
    const slices = "bigtrace.bigtrace(traces = ['/local/linux/*'], sql = 'SELECT name FROM slice')";
    const [count = ''] = (await asWriter(`SELECT count() FROM ${slices}`)).split('\t');
    // The second build adds nothing to the incremental model, whose test says that its key is unique.
    for (const _ of ['first', 'second']) {
      expect(await dbtBuild(directory)).toContain('PASS=5 WARN=0 ERROR=0');
      const made = `SELECT (SELECT count() FROM analyst_rw.slices), (SELECT sum(n) FROM analyst_rw.slice_names),
        (SELECT sum(n) FROM analyst_rw.trace_counts)`;
      expect(await asWriter(made)).toBe([count, count, count].join('\t'));
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test("Redocly's recommended rules find nothing in /openapi.json", async () => {
  const [program = '', ...args] = buildRedocly();
  expect((await run(program, [...args, await openapiFile()])).stdout).toBe('');
});

test('a client that is generated from /openapi.json compiles and returns exact values', async () => {
  const [program = '', ...args] = buildOpenapiClient(await openapiFile());
  const { stdout } = await run(program, [...args, system.http]);
  expect(stdout.trim().split('\n')).toEqual([
    '_trace_address,highest,absent /local/linux/idle.pftrace,9223372036854775807,',
    '{"detail":"perfetto_sql is empty"}',
  ]);
});

async function openapiFile(): Promise<string> {
  const file = join(dataDir, 'openapi.json');
  const served = await fetch(new URL('/openapi.json', system.http));
  writeFileSync(file, await served.text());
  return file;
}

const everyone = [...Object.keys(CLIENTS), 'dbt'];
const named = process.env['CLIENTS'];
const chosen =
  named === 'all'
    ? everyone
    : (named?.split(',') ?? everyone.filter((name) => CLIENTS[name]?.isDear === false));

test('docs/clients/dbt.md shows the project that is tested', () => {
  const page = pageOf('dbt.md');
  for (const file of [
    ...readdirSync(join(DBT, 'models')).map((name) => `models/${name}`),
    'profiles.yml',
  ])
    expect(page).toContain(readFileSync(join(DBT, file), 'utf8').trim());
});

if (chosen.includes('dbt'))
  test('dbt builds and tests a table, a view and an incremental model', testDbt, 540_000);

describe.each(chosen.filter((name) => name !== 'dbt'))('%s', (name) => {
  let answers: Answers;
  let example: string[];

  beforeAll(async () => {
    const client = CLIENTS[name];
    if (client === undefined) throw new Error(`there is no client ${name}`);
    const text = exampleOf(client.page, client.language, client.nth, server());
    const built = client.build(text);
    example = built.example;
    const [file = '', ...args] = built.program;
    const { stdout } = await run(file, args, {
      env: { ...process.env, ...environment(), QUESTIONS: JSON.stringify(QUESTIONS) },
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
  test('the example of its page prints rows', async () => {
    const [file = '', ...args] = example;
    const { stdout } = await run(file, args, { timeout: 110_000, maxBuffer: 2 ** 26 });
    expect(stdout).toContain(samples.slice);
  });
});

function server(): Server {
  return {
    httpPort: new URL(system.clickhouseHttp).port,
    tcpPort: system.clickhouseTcp.split(':')[1] ?? '',
    dataDir: system.dataDir,
  };
}

/** What the programs read. */
function environment(): Record<string, string> {
  const { httpPort, tcpPort } = server();
  return { HTTP_PORT: httpPort, TCP_PORT: tcpPort, PASSWORD: system.analystPassword };
}
