import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { viewsFormat } from '../../tools/build/views-format.mjs';
import { call, EXECUTED, rowsOf, startTestEngine, type TestEngine } from '../testing/engine.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
});

afterAll(() => t[Symbol.asyncDispose]());

const COLUMNS = 'a Nullable(Int64), s Nullable(String)';
const TWO_ROWS = 'row /local/a a=1 s=x; beat; row /local/b a s; end';

describe('bigtrace()', () => {
  test('returns the columns of the script, without heartbeats', async () => {
    const query = `SELECT * FROM ${call(COLUMNS, TWO_ROWS)} ORDER BY _trace_address`;
    expect(await rowsOf(t.as('analyst'), query)).toEqual([
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
    const other = call('a Nullable(Int64)', 'row /local/a a=1; end');
    expect(
      await rowsOf(
        analyst,
        `SELECT x.s, y._trace_address FROM ${table} AS x JOIN ${other} AS y USING (a)`,
      ),
    ).toEqual([['x', '/local/a']]);
    expect(await rowsOf(analyst, `SELECT max(a) FROM (SELECT a FROM ${table})`)).toEqual([['1']]);
  });

  test.runIf(EXECUTED)(
    'passes the request and the determined structure to the script',
    async () => {
      const file = join(t.scratch, 'request');
      const commands = `printf "%s" "$request" >"${file}"; end`;
      const query = `SELECT * FROM ${call('a Nullable(Int64)', commands)}`;
      expect(await rowsOf(t.as('analyst'), query, { queryId: 'the-id' })).toEqual([]);
      const sql = `@a Nullable(Int64);;${commands}`;
      const structure = '`_hb` UInt8 NOT NULL, `_trace_address` String NOT NULL, a Nullable(Int64)';
      if (viewsFormat() === 'CustomSeparated') {
        const fields = ["['/local/a','/local/b']", sql, 'the-id', 'analyst', 'strict', structure];
        expect(readFileSync(file, 'utf8').split('\t').slice(0, -1)).toEqual(fields);
        return;
      }
      // Names, types and values of the Native format. The upper bytes of the array's length are NULs, which the shell
      // drops.
      const columns = [
        ['traces', 'Array(String)'],
        ['sql', 'String', sql],
        ['query_id', 'String', 'the-id'],
        ['user', 'String', 'analyst'],
        ['on_failure', 'String', 'strict'],
        ['structure', 'String', structure],
      ].map((column) => column.map((text) => varint(text.length) + text).join(''));
      columns.splice(1, 0, '\x02\x08/local/a\x08/local/b');
      const [before, statement] = readFileSync(file, 'latin1').split('\x09statement\x06String');
      expect(before).toBe(`\x07\x01${columns.join('')}`);
      expect(statement).toContain(query);
    },
  );
});

/** Encodes a length below 16384. The scratch directory may have a long name. */
function varint(length: number): string {
  return length < 0x80
    ? String.fromCharCode(length)
    : String.fromCharCode((length & 0x7f) | 0x80, length >> 7);
}

test('bigtrace_as() has the columns that the client specifies', async () => {
  const table = `bigtrace_as(structure='n Nullable(Float64)', traces=['/local/a'],
    sql='@;;row /local/a n=0.5; end')`;
  expect(await rowsOf(t.as('analyst'), `SELECT * FROM ${table}`)).toEqual([['/local/a', 0.5]]);
});

test.each([
  ['bigtrace_as', "traces=['/local/a']", 'strict'],
  ['bigtrace_lenient_as', "traces=['/local/a']", 'lenient'],
  ['bigtrace_answers_as', "traces=['/local/a']", 'lenient'],
  ['bigtrace_where_as', "filter='1'", 'strict'],
  ['bigtrace_where_lenient_as', "filter='1'", 'lenient'],
])(
  '%s() has the columns that the client specifies, and accepts aliases of types',
  async (...call) => {
    const [view, traces, failure] = call;
    const table = `${view}(structure='s TEXT NULL', ${traces}, sql='@;;${LENIENCY}')`;
    const types = `toTypeName(s) = 'Nullable(String)'`;
    expect(await rowsOf(t.as('analyst'), `SELECT s, ${types} FROM ${table}`)).toEqual([
      [failure, 1],
    ]);
  },
);

test('bigtrace_lenient() requests a lenient query', async () => {
  const table = call('s Nullable(String)', LENIENCY, 'bigtrace_lenient');
  expect(await rowsOf(t.as('analyst'), `SELECT s FROM ${table}`)).toEqual([['lenient']]);
});

const LENIENCY = 'row /local/a "s=$failure"; end';

test('bigtrace_table() streams the addresses of a table', async () => {
  const createTable = `CREATE TABLE bigtrace.chosen (address LowCardinality(String), other UInt8) ENGINE = MergeTree
    ORDER BY address AS SELECT concat('/local/', toString(number)), 0 FROM numbers(300000)`;
  await t.as('admin').command({ query: createTable });
  const counting = 'row /local/a "n=$(tr -cd / <&3 | wc -c)"; end'; // two slashes per address
  const sql = literal(`@n Nullable(Int64);;${counting}`);
  const rest = `table='chosen', on_failure='lenient', sql=${sql}`;
  for (const table of [
    `bigtrace_table(sample=['/local/a'], ${rest})`,
    `bigtrace_table_as(structure='n Nullable(Int64)', ${rest})`,
  ])
    expect(await rowsOf(t.as('analyst'), `SELECT n FROM ${table}`)).toEqual([['600000']]);
});

test('an error while the list of traces is read fails the query', async () => {
  const breaking = `CREATE VIEW bigtrace.breaking AS SELECT
    if(throwIf(number = 250000, 'no more of them') = 0, concat('/local/', toString(number)), '') AS address
    FROM numbers(300000)`;
  await t.as('admin').command({ query: breaking });
  // The background process keeps the pipe open, so the script would wait. The error arrives with the next heartbeat.
  const commands = 'cat <&3 >/dev/null & while beat; do sleep 0.3; done';
  const query = `SELECT * FROM bigtrace_table_as(structure='n Nullable(Int64)', table='breaking',
    on_failure='lenient', sql='@;;${commands}')`;
  await expect(rowsOf(t.as('analyst'), query)).rejects.toThrow('no more of them');
});

test.each(['users', 'system.users', 'no_such', 'chosen|bigtrace', '.*'])(
  'bigtrace_table() rejects the table name %s',
  async (name) => {
    const query = `SELECT * FROM bigtrace_table(table='${name}', sample=['/local/a'], on_failure='strict',
      sql='@a Nullable(Int64);;end')`;
    await expect(rowsOf(t.as('analyst'), query)).rejects.toThrow('no tables satisfied');
  },
);

/** The running trace that clickhouse/testing/stand-in.sh reports. */
const RUNNING = {
  ...{ trace: "/local/it's", state: 'parsing', state_s: 1.5, total_s: 2, worker: 'w:1' },
};

test('failures and progress can be queried as tables', async () => {
  expect(await rowsOf(t.as('analyst'), 'SELECT * FROM failures')).toEqual([
    ['q1', 'analyst', '/local/bad', 'trace_invalid', 'not a trace', 2, '2026-11-22 11:00:49.722'],
  ]);
  expect(await rowsOf(t.as('analyst'), 'SELECT * FROM progress')).toEqual([
    [
      'q1',
      'analyst',
      '2026-11-22 11:00:49.722',
      2,
      '10',
      true,
      '3',
      '1',
      '500',
      '600',
      '700',
      3,
      [RUNNING],
      2.5,
      ...['1', '0', '0', '2'],
    ],
  ]);
});

test.runIf(EXECUTED)('passwords are stored in files that only their owner can read', () => {
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

test('tables of admin and the passwords survive a restart', async () => {
  const { passwords } = t.engine;
  const make = 'CREATE TABLE bigtrace.kept (n UInt64) ENGINE = MergeTree ORDER BY n AS SELECT 7';
  await t.as('admin').command({ query: make });
  await t.restart();
  expect(t.engine.passwords).toEqual(passwords);
  expect(await rowsOf(t.as('analyst'), 'SELECT n FROM kept')).toEqual([['7']]);
});
