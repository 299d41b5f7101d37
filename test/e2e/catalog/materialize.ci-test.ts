/** Tests of `bigtrace materialize`: the table has the rows of all traces; a run queries only new and changed ones. */
import { execFile } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { index, writeTraces } from '../../harness/http-page.ts';
import { type System, startSystem } from '../../harness/system.ts';

let system: System;
let traces: string;

const SQL = 'SELECT name, dur FROM slice';

beforeAll(async () => {
  traces = writeTraces({ 'a.json': ['one', 'two'], 'b.json': ['three'], 'c.json': ['four'] });
  system = await startSystem({ traces, workers: 1 });
});
afterAll(() => system?.stop());

async function materialize(name: string, sql: string, ...args: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      ...[join(ROOT, 'cli/bigtrace.mjs'), 'materialize', '--json', '--name', name, '--sql', sql],
      ...['--clickhouse', system.clickhouseHttp, ...args],
    ],
    { env: { ...process.env, BIGTRACE_ADMIN_PASSWORD: system.adminPassword } },
  );
  return JSON.parse(stdout);
}

async function namesIn(table: string): Promise<string> {
  const rows = `SELECT _trace_address || ' ' || assumeNotNull(name) AS row FROM bigtrace_results.${table}`;
  return (
    await system.sql(`SELECT arrayStringConcat(arraySort(groupArray(row)), ', ') FROM (${rows})`)
  ).trim();
}

test('a run queries only new and changed traces, and replaces the rows of changed ones', async () => {
  await index(system);
  expect(await materialize('slices', SQL)).toEqual({ asked: 3, failed: 0 });
  expect(await namesIn('slices')).toBe(
    '/local/a.json one, /local/a.json two, /local/b.json three, /local/c.json four',
  );
  expect(await materialize('slices', SQL)).toEqual({ asked: 0, failed: 0 });
  const fresh = writeTraces({ 'b.json': ['other', 'than before'], 'd.json': ['five'] });
  for (const name of ['b.json', 'd.json']) copyFileSync(join(fresh, name), join(traces, name));
  await index(system);
  expect(await materialize('slices', SQL)).toEqual({ asked: 2, failed: 0 });
  expect(await namesIn('slices')).toBe(
    '/local/a.json one, /local/a.json two, /local/b.json other, /local/b.json than before, ' +
      '/local/c.json four, /local/d.json five',
  );
  // The replaced rows are deleted from the stored table as well.
  expect(await system.sql('SELECT count() FROM bigtrace_results.slices_rows')).toBe('6\n');
});

test('--where limits the traces, and a failed trace is queried again by the next run', async () => {
  const where = ['--where', "address != '/local/a.json'"];
  // Among these traces only b.json has two slices, so only it fails.
  const picky = "SELECT name, CAST(iif(count(*) > 1, json('{'), '1') AS INT) AS n FROM slice";
  const result = (await materialize('picky', picky, ...where)) as { firstFailure: string };
  expect(result).toEqual({
    asked: 3,
    failed: 1,
    firstFailure: expect.stringMatching(/malformed JSON/),
  });
  expect(await materialize('picky', picky, ...where)).toMatchObject({ asked: 1, failed: 1 });
  expect(await namesIn('picky')).toBe('/local/c.json four, /local/d.json five');
});

test('a failed trace is queried again even if bigtrace.failures is empty', async () => {
  const none = `CREATE OR REPLACE VIEW bigtrace.failures AS
    SELECT '' AS query_id, '' AS trace, '' AS message WHERE false`;
  await system.sql(none, { user: 'admin' });
  const picky = "SELECT name, CAST(iif(count(*) > 1, json('{'), '1') AS INT) AS m FROM slice";
  const where = ['--where', "address != '/local/a.json'"];
  expect(await materialize('forgotten', picky, ...where)).toEqual({
    asked: 3,
    failed: 1,
    firstFailure: 'the trace failed',
  });
  expect(await materialize('forgotten', picky, ...where)).toMatchObject({ asked: 1, failed: 1 });
  expect(await namesIn('forgotten')).toBe('/local/c.json four, /local/d.json five');
});

test('bigtrace_answers has a row for each failed trace', async () => {
  const sql = "SELECT iif(name = ''five'', json(''{''), name) AS name FROM slice";
  const rows = await system.sql(
    `SELECT _hb, _trace_address, name FROM bigtrace_answers(traces=['/local/*.json'], sql='${sql}')
     WHERE _trace_address > '/local/c' ORDER BY ALL`,
  );
  expect(rows).toBe('0\t/local/c.json\tfour\n2\t/local/d.json\t\\N\n');
});

test('a value that a column cannot hold fails the run, and no value is cast', async () => {
  const values = { 'e.json': ['7'], 'f.json': ['2.75'], 'g.json': ['12abc'] };
  const fresh = writeTraces(values);
  for (const name of Object.keys(values)) copyFileSync(join(fresh, name), join(traces, name));
  await index(system);
  const sql =
    "SELECT CASE WHEN name GLOB '*[a-z]*' THEN name WHEN name GLOB '*.*' THEN CAST(name AS REAL) ELSE CAST(name AS INT) END AS v FROM slice";
  const add = (trace: string, ...args: string[]): Promise<unknown> =>
    materialize('values', sql, '--traces', `/local/${trace}.json`, ...args);
  await add('e', '--strict');
  for (const flags of [[], ['--strict']]) {
    await expect(add('f', ...flags)).rejects.toThrow(
      /f\.json.*column v .*2\.75.*drop it and values_rows, and give --structure 'v Nullable\(Int64\)'/s,
    );
    await expect(add('g', ...flags)).rejects.toThrow(/g\.json.*column v .*'12abc'/s);
  }
  const stored = 'SELECT v, toTypeName(v) FROM bigtrace_results.values ORDER BY v';
  expect(await system.sql(stored)).toBe('7\tNullable(Int64)\n');
  await expect(add('f', '--structure', 'v Nullable(Float64)')).rejects.toThrow(
    'bigtrace_results.values has the columns v Nullable(Int64)',
  );
  await system.sql('DROP TABLE bigtrace_results.values_rows', { user: 'admin' });
  await add('e', '--structure', 'v Nullable(Float64)');
  await add('f');
  expect(await system.sql(stored)).toBe('2.75\tNullable(Float64)\n7\tNullable(Float64)\n');
});

test('materialize refuses a table name that another script uses, invalid names, and failing scripts', async () => {
  await expect(materialize('slices', 'SELECT 1 AS n')).rejects.toThrow(
    'bigtrace_results.slices was created with another script; choose another name, or drop it and slices_rows',
  );
  await expect(materialize('runs', 'SELECT 1 AS _run')).rejects.toThrow(
    'column _run of the script must have another name',
  );
  await expect(materialize('x; DROP', SQL)).rejects.toThrow('table_name x; DROP must be');
  writeFileSync(join(traces, 'script.sql'), 'SELECT nope FROM slice');
  await expect(materialize('none', `@${join(traces, 'script.sql')}`)).rejects.toThrow(
    'no such column: nope',
  );
});
