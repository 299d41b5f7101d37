import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, EXECUTED, rowsOf, startTestEngine, type TestEngine } from '../testing/engine.ts';
import { answerToForwarded } from '../testing/native-client.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
  await t.as('admin').command({ query: 'CREATE TABLE bigtrace.mine (n UInt8) ENGINE = Memory' });
});

afterAll(() => t[Symbol.asyncDispose]());

const ONE_ROW = call('a Nullable(Int64)', 'row /local/a a=1; end');

describe('analyst', () => {
  const user = 'analyst';

  test('may use bigtrace() and read tables', async () => {
    expect(await rowsOf(t.as(user), `SELECT * FROM ${ONE_ROW}`)).toEqual([['/local/a', '1']]);
    expect(await rowsOf(t.as(user), 'SELECT * FROM mine')).toEqual([]);
  });

  test.each([
    "SELECT * FROM executable('bigtrace query', TSV, 'a String')",
    "SELECT * FROM url('http://127.0.0.1/', TSV, 'a String')",
    "SELECT * FROM file('/etc/passwd', TSV, 'a String')",
    "SELECT * FROM remote('127.0.0.1', 'system', 'one')",
    "SELECT * FROM s3('http://127.0.0.1/bucket/key', TSV, 'a String')",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    'SELECT * FROM system.users',
    'CREATE TABLE bigtrace.t (n UInt8) ENGINE = Memory',
    'CREATE TEMPORARY TABLE t (n UInt8)',
    'CREATE VIEW bigtrace.v AS SELECT 1',
    'CREATE FUNCTION f AS x -> x',
    'INSERT INTO bigtrace.mine VALUES (1)',
    "INSERT INTO FUNCTION executable('bigtrace query', TSV, 'a String') VALUES ('a')",
    'DROP VIEW bigtrace.bigtrace',
    'GRANT SELECT ON bigtrace.* TO analyst',
    "BACKUP DATABASE bigtrace TO File('b')",
    'SYSTEM SHUTDOWN',
    'SYSTEM RELOAD USERS',
  ])('is refused %s', async (query) => {
    await expect(t.as(user).command({ query })).rejects.toThrow(/Not enough privileges/);
  });
});

test.runIf(EXECUTED)('analyst may tighten limits of a query, but not loosen them', async () => {
  const analyst = t.as('analyst');
  const bounds = 'SETTINGS max_execution_time = 5, max_result_rows = 5, max_threads = 1';
  expect(await rowsOf(analyst, `SELECT 1 ${bounds}`)).toEqual([[1]]);
  for (const setting of [
    'readonly = 0',
    'enable_analyzer = 0',
    'ast_fuzzer_runs = 1',
    'log_queries_cut_to_length = 1',
  ])
    await expect(rowsOf(analyst, `SELECT 1 SETTINGS ${setting}`)).rejects.toThrow(
      /Cannot modify|should not be (changed|less than 65536)|shouldn't be less than 65536/,
    );
});

describe('settings of the user who runs the query', () => {
  const table = call(
    's Nullable(String), i Int64',
    'row /local/a s i=7; row /local/b s=x i=8; end',
  );
  const all = `SELECT * FROM ${table} ORDER BY _trace_address`;
  const rows = [
    ['/local/a', null, '7'],
    ['/local/b', 'x', '8'],
  ];

  test.each([
    'input_format_native_decode_types_in_binary_format = 1',
    'output_format_native_encode_types_in_binary_format = 1',
    'input_format_native_allow_types_conversion = 0',
    'data_type_default_nullable = 1',
    'output_format_tsv_crlf_end_of_line = 1',
    'input_format_tsv_skip_first_lines = 1',
    'input_format_tsv_empty_as_default = 1',
    "format_tsv_null_representation = '/local/a'",
    "compatibility = '18.16'",
    "additional_table_filters = {'system.one': '0'}",
  ])('%s does not change the result', async (setting) => {
    expect(await rowsOf(t.as('analyst'), `${all} SETTINGS ${setting}`)).toEqual(rows);
  });

  test.each(['18.16', '23.8'])('compatibility=%s in the address of the request', async (level) => {
    const response = await t.as('analyst').query({
      query: all,
      format: 'JSONCompactEachRow',
      clickhouse_settings: { compatibility: level },
    });
    expect(await response.json()).toEqual(rows);
  });

  test('do not exhaust the processes that other users need for column finding', async () => {
    const settings = 'SETTINGS input_format_tsv_skip_first_lines = 1';
    const analyst = t.as('analyst');
    const hostile = Array.from({ length: 20 }, () => rowsOf(analyst, `${all} ${settings}`));
    expect(await rowsOf(t.as('admin'), all)).toEqual(rows);
    for (const response of await Promise.all(hostile)) expect(response).toEqual(rows);
  });
});

test.runIf(EXECUTED)('file() cannot read files outside the engine', async () => {
  const password = join(t.directory, 'data/admin.password');
  for (const path of ['/etc/passwd', password, '/proc/1/environ', import.meta.filename])
    for (const user of ['analyst', 'admin'])
      await expect(rowsOf(t.as(user), `SELECT length(file('${path}'))`)).rejects.toThrow(
        /Permission denied|Not enough privileges/,
      );
});

test.runIf(EXECUTED)('sqlite() cannot create files outside the engine', async () => {
  const path = join(t.directory, 'made.sqlite');
  const query = `SELECT * FROM sqlite('${path}', 't')`;
  await expect(rowsOf(t.as('analyst'), query)).rejects.toThrow(/unable to open|Not enough/);
  expect(existsSync(path)).toBe(false);
});

test.runIf(EXECUTED)('logins as the definer or with a wrong password are rejected', async () => {
  for (const login of ['bigtrace_definer:', 'bigtrace_definer:0', 'analyst:', 'admin:x']) {
    const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
    const response = await fetch(`http://${t.engine.httpAddress}/?query=SELECT+1`, {
      headers: { authorization },
    });
    expect(response.status).toBe(403);
  }
});

test.runIf(EXECUTED)('a native client cannot query as somebody else', async () => {
  const { passwords, tcpAddress } = t.engine;
  const analyst = { tcpAddress, user: 'analyst', password: passwords.analyst };
  const of = (initialUser: string, query: string, answer: RegExp): Promise<string> =>
    answerToForwarded({ ...analyst, initialUser, query }, answer);
  const count = (table: string, condition: string): string =>
    `SELECT concat('<', toString(countIf(${condition})), '>') FROM ${table}`;
  // The processes of a user, and of all users for the bridge.
  expect(await of('admin', count('system.processes', "user = 'analyst'"), /<\d+>/)).toBe('<1>');
  expect(await of('bigtrace_bridge', count('bigtrace.query_clients', '1'), /<\d+>/)).toBe('<0>');
  // The script looks for the user in its request, which also has the text of the script.
  const script = 'a=known; [[ $request == *ad""min* ]] && a=forged; row /local/a a=$a; end';
  const table = call('a Nullable(String)', script);
  const query = `SELECT concat('<', a, '>') FROM ${table}`;
  expect(await of('admin', query, /<(known|forged)>/)).toBe('<known>');
});
