import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, rowsOf, startTestEngine, type TestEngine } from './testing/engine.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
});

afterAll(() => t[Symbol.asyncDispose]());

const COLUMNS = 'a Nullable(Int64), s Nullable(String)';
const TWO_ROWS =
  'printf "0\\t/local/a\\t1\\tx\\n1\\t\\t\\\\N\\t\\\\N\\n0\\t/local/b\\t\\\\N\\t\\\\N\\nEND\\n"';

describe('bigtrace()', () => {
  test('has the columns that the script answers with, without its heartbeats', async () => {
    expect(await rowsOf(t.as('analyst'), `SELECT * FROM ${call(COLUMNS, TWO_ROWS)}`)).toEqual([
      ['/local/a', '1', 'x'],
      ['/local/b', null, null],
    ]);
  });

  test('can be described, grouped and joined', async () => {
    const analyst = t.as('analyst');
    const table = call(COLUMNS, TWO_ROWS);
    const columns = await rowsOf(analyst, `DESCRIBE (SELECT * FROM ${table})`);
    expect(columns.map(([name, type]) => [name, type])).toEqual([
      ['_trace_address', 'String'],
      ['a', 'Nullable(Int64)'],
      ['s', 'Nullable(String)'],
    ]);
    expect(
      await rowsOf(analyst, `SELECT s, count() FROM ${table} GROUP BY s ORDER BY s NULLS LAST`),
    ).toEqual([
      ['x', '1'],
      [null, '1'],
    ]);
    const other = call('a Nullable(Int64)', 'printf "0\\t/local/a\\t1\\nEND\\n"');
    expect(
      await rowsOf(
        analyst,
        `SELECT x.s, y._trace_address FROM ${table} AS x JOIN ${other} AS y USING (a)`,
      ),
    ).toEqual([['x', '/local/a']]);
    expect(await rowsOf(analyst, `SELECT max(a) FROM (SELECT a FROM ${table})`)).toEqual([['1']]);
  });

  test('hands the script the request, and the structure that ClickHouse took', async () => {
    const file = join(t.scratch, 'request');
    const commands = `printf "%s" "$line" >${file}; echo END`;
    const query = `SELECT * FROM ${call('a Nullable(Int64)', commands)}`;
    expect(await rowsOf(t.as('analyst'), query, { queryId: 'the-id' })).toEqual([]);
    expect(readFileSync(file, 'utf8').split('\t')).toEqual([
      "['/local/a','/local/b']",
      `a Nullable(Int64);;${commands}`,
      'the-id',
      'analyst',
      'strict',
      '_hb UInt8, _trace_address String, a Nullable(Int64)',
    ]);
  });
});

test('bigtrace_as() has the columns that the asker gives', async () => {
  const table = `bigtrace_as(structure='n Nullable(Float64)', traces=['/local/a'],
    sql=';;printf "0\\\\t/local/a\\\\t0.5\\\\nEND\\\\n"')`;
  expect(await rowsOf(t.as('analyst'), `SELECT * FROM ${table}`)).toEqual([['/local/a', 0.5]]);
});

test('bigtrace_lenient() says so to the script', async () => {
  const table = call('s Nullable(String)', LENIENCY, 'bigtrace_lenient');
  expect(await rowsOf(t.as('analyst'), `SELECT s FROM ${table}`)).toEqual([['lenient']]);
});

const LENIENCY = 'printf "0\\t/local/a\\t%s\\nEND\\n" "$(field 5)"';

test('bigtrace_table() streams the addresses of a table, with a mark behind the last', async () => {
  const made = `CREATE TABLE bigtrace.chosen (address String, other UInt8) ENGINE = MergeTree
    ORDER BY address AS SELECT concat('/local/', toString(number)), 0 FROM numbers(300000)`;
  await t.as('admin').command({ query: made });
  const counting =
    'lines=$(cat <&3 | tee last | wc -l); printf "0\\t/local/a\\t%s\\t%s\\nEND\\n" $lines $(tail -n 1 last)'.replaceAll(
      ' last',
      ` ${t.scratch}/last`,
    );
  const sql = `n Nullable(Int64), last Nullable(String);;${counting}`.replace(/[\\']/g, '\\$&');
  const rest = `table='chosen', on_failure='lenient', sql='${sql}'`;
  for (const table of [
    `bigtrace_table(sample=['/local/a'], ${rest})`,
    `bigtrace_table_as(structure='n Nullable(Int64), last Nullable(String)', ${rest})`,
  ])
    expect(await rowsOf(t.as('analyst'), `SELECT n, last FROM ${table}`)).toEqual([
      ['300001', 'END'],
    ]);
});

test.each(['users', 'system.users', 'no_such', 'chosen|bigtrace', '.*'])(
  'bigtrace_table() has no table %s',
  async (name) => {
    const query = `SELECT * FROM bigtrace_table(table='${name}', sample=['/local/a'], on_failure='strict',
      sql='a Nullable(Int64);;echo END')`;
    await expect(rowsOf(t.as('analyst'), query)).rejects.toThrow('no tables satisfied');
  },
);

test('failures and progress are tables', async () => {
  expect(await rowsOf(t.as('analyst'), 'SELECT * FROM failures')).toEqual([
    ['q1', 'analyst', '/local/bad', 'trace_invalid', 'not a trace', 2, '2026-11-22 11:00:49.722'],
  ]);
  expect(await rowsOf(t.as('analyst'), 'SELECT * FROM progress')).toEqual([
    ['q1', 'analyst', '2026-11-22 11:00:49.722', 2, '10', true, '3', '1', '500', '600', '700', 3],
  ]);
});

test('passwords are kept, for their owner only', () => {
  for (const user of ['admin', 'analyst'] as const) {
    const path = join(t.directory, 'data', `${user}.password`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8').trim()).toBe(t.engine.passwords[user]);
    expect(t.engine.passwords[user].length).toBeGreaterThanOrEqual(24);
  }
});

test('/play is served', async () => {
  const page = await fetch(`http://${t.engine.httpAddress}/play`);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('ClickHouse');
});

test('what admin made survives a restart, and the passwords too', async () => {
  const { passwords } = t.engine;
  const make = 'CREATE TABLE bigtrace.kept (n UInt64) ENGINE = MergeTree ORDER BY n AS SELECT 7';
  await t.as('admin').command({ query: make });
  const started = performance.now();
  await t.restart();
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(t.engine.passwords).toEqual(passwords);
  expect(await rowsOf(t.as('analyst'), 'SELECT n FROM kept')).toEqual([['7']]);
});
