/**
 * Tests that aggregates through ClickHouse equal those of the bare engine's rows, or fail, whatever values the columns
 * hold and whichever traces are damaged or empty. ROUNDS sets the number of random cases, SEED the first one:
 * `SEED=7 ROUNDS=500 npx vitest run --config test/config/ci.config.ts column-types`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { materialize } from '../../../http-api/materialize/materialize.ts';
import { openDatabase } from '../../../http-api/queries/database.ts';
import { parseSettings } from '../../../http-api/settings.ts';
import { arrayLiteral, literal } from '../../../lib/common/text/sql-literal.ts';
import { TraceProcessor } from '../../../lib/engine/index.ts';
import { testEngine } from '../../../lib/engine/testing.ts';
import type { CellValue } from '../../../lib/query-result/index.ts';
import { BigtracePage, valuesOf } from '../../harness/http-page.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import {
  bareColumn,
  type FleetQuery,
  fleetQuery,
  writeFleet,
} from '../../harness/random-fleets.ts';
import { usesResidentBridge } from '../../harness/resident/resident.ts';
import { type System, startSystem } from '../../harness/system.ts';
import {
  LATE_VALUES,
  MISFITS,
  MIXED_NUMBER,
  TYPE_CASES,
  writeTypeFleets,
} from '../../harness/type-cases.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 12);
const SEED = Number(process.env['SEED'] ?? 15);

/** Tests that need `/where/`, the views in the database default, or users that only the embedded engine has. */
const onExecutedBridge = test.skipIf(usesResidentBridge());

let directory: string;
let system: System;
let analyst: ClickHouseClient;
let processor: TraceProcessor;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bigtrace-types-'));
  writeTypeFleets(directory);
  system = await startSystem({ traces: directory, workers: 1 });
  analyst = clickhouseAs(system, 'analyst');
  processor = new TraceProcessor(await testEngine());
});
afterAll(async () => {
  await analyst?.close();
  await system?.stop();
  rmSync(directory, { recursive: true });
});

/** Each as text, without loss. */
interface Aggregates {
  count: string;
  max: string | null;
  /** undefined: it is text, or it overflows Int64, where ClickHouse wraps. */
  sum: string | null | undefined;
  median: string | null | undefined;
}

const text = (value: unknown): string | null => (value === null ? null : String(value));

/** Returns the aggregates of rows; 'error' if the column mixes text and numbers. */
function aggregatesOf(values: readonly CellValue[]): Aggregates | 'error' {
  const held = values.filter((value) => value !== null);
  const texts = held.filter((value) => typeof value === 'string');
  if (texts.length !== held.length && texts.length > 0) return 'error';
  const sorted = [...held].sort((a, b) => ((a as number) < (b as number) ? -1 : 1));
  const aggregates = { count: String(held.length), max: text(sorted.at(-1) ?? null) };
  if (texts.length > 0) return { ...aggregates, sum: undefined, median: undefined };
  const median = text(sorted[Math.floor(held.length / 2)] ?? null);
  return { ...aggregates, sum: sumOf(held as (number | bigint)[]), median };
}

function sumOf(numbers: readonly (number | bigint)[]): string | null | undefined {
  if (numbers.length === 0) return null;
  if (numbers.some((value) => typeof value === 'number'))
    return String(numbers.map(Number).reduce((sum, value) => sum + value, 0));
  const sum = (numbers as bigint[]).reduce((all, value) => all + value, 0n);
  return BigInt.asIntN(64, sum) === sum ? String(sum) : undefined;
}

/** Returns what the query must return by the bare engine. */
function expected({ sql, lenient }: FleetQuery, paths: readonly string[]): Aggregates | 'error' {
  const traces = paths.map((path) => bareColumn(processor, readFileSync(path), sql));
  const loadable = traces.filter((rows) => rows !== 'error');
  if (loadable.length < traces.length && (!lenient || loadable.length === 0)) return 'error';
  return aggregatesOf(loadable.flat());
}

async function runSelect(from: string, select: string): Promise<(string | null)[] | Error> {
  try {
    const [row = []] = await rowsOf(analyst, `SELECT ${select} FROM ${from}`);
    return row.map(text);
  } catch (thrown) {
    return thrown as Error;
  }
}

let fleets = 0;

/** Writes the fleet. @returns the call of a view on it, and the paths of its traces */
async function sourceOf(query: FleetQuery): Promise<{ from: string; paths: string[] }> {
  const name = `fleet_${fleets++}`;
  const paths = writeFleet(query.fleet, join(directory, name));
  const addresses = paths.map((_, at) => `/local/${name}/t${at}`);
  const sql = literal(query.sql);
  const view = query.lenient ? 'bigtrace_lenient' : 'bigtrace';
  if (query.sample === undefined)
    return { from: `${view}(traces=['/local/${name}/*'], sql=${sql})`, paths };
  await system.sql(
    `CREATE VIEW bigtrace.${name} AS SELECT arrayJoin(${arrayLiteral(addresses)}) AS address`,
    { user: 'admin' },
  );
  const sample = arrayLiteral(query.sample.flatMap((at) => addresses[at] ?? []));
  const failure = query.lenient ? 'lenient' : 'strict';
  return {
    from: `bigtrace_table(table='${name}', sample=${sample}, on_failure='${failure}', sql=${sql})`,
    paths,
  };
}

/** Compares an answer with the bare engine's. @returns whether it is an error */
function judged(outcome: (string | null)[] | Error, right: (string | null)[]): boolean {
  if (!(outcome instanceof Error)) expect(outcome).toEqual(right);
  else expect(outcome.message).toMatch(/cannot hold|Illegal type/);
  return outcome instanceof Error;
}

test('count, max, sum and quantile over random fleets are those of the bare engine, or errors', async () => {
  const seen = { errors: 0, answers: 0, retries: 0 };
  const property = fc.asyncProperty(fleetQuery, async (query) => {
    const { from, paths } = await sourceOf(query);
    const right = expected(query, paths);
    if (right === 'error') {
      seen.errors += 1;
      for (const select of ['count(v), max(v)', 'sum(v)'])
        expect(await runSelect(from, select)).toBeInstanceOf(Error);
      return;
    }
    const { count, max, sum, median } = right;
    const counting = 'count(v), max(v)';
    let outcome = await runSelect(from, counting);
    if (judged(outcome, [count, max])) {
      // The error of a value that does not fit the found type corrects the type. Only String holds wide integers and doubles.
      seen.retries += 1;
      outcome = await runSelect(from, counting);
      if (judged(outcome, [count, max]))
        expect((outcome as Error).message).toMatch(/cannot hold integer -?\d{16}/);
    }
    if (!(outcome instanceof Error)) seen.answers += 1;
    if (sum === undefined || median === undefined) return;
    judged(await runSelect(from, 'sum(v), quantileExact(0.5)(v)'), [sum, median]);
  });
  await fc.assert(property, { numRuns: ROUNDS, seed: SEED, endOnFailure: true });
  expect(seen.answers).toBeGreaterThan(ROUNDS / 3);
  if (ROUNDS > 100) console.log(seen);
}, 3_600_000);

test.concurrent.each(TYPE_CASES)('aggregates are correct for $about', async (one) => {
  const { sql, select, fleet = 'late', rows } = one;
  const from = `bigtrace(traces=['/local/${fleet}/*'], sql=${literal(sql)})`;
  expect(await rowsOf(analyst, `SELECT ${select} FROM ${from}`)).toEqual(rows);
});

test.each(LATE_VALUES)(
  '$about that only the last trace has is an error once, and then a value',
  async ({ fleet, sql, message, select, row }) => {
    const from = `bigtrace(traces=['/local/${fleet}/*'], sql=${literal(sql)})`;
    expect(await errorOf(analyst, `SELECT max(v) FROM ${from}`)).toMatch(message);
    expect(await rowsOf(analyst, `SELECT ${select} FROM ${from}`)).toEqual([row]);
  },
);

test.each(MISFITS)('%s is an error each time', async (_, sql, message) => {
  const statement = `SELECT count(v) FROM bigtrace(traces=['/local/few/*'], sql=${literal(sql)})`;
  for (const _ of ['first', 'second']) expect(await errorOf(analyst, statement)).toMatch(message);
});

/** A script with a column of numbers, one of texts, and one that is always NULL and may hold anything. */
const SCRIPT = `SELECT dur AS v, name, extract_arg(arg_set_id, 'args.none') AS w FROM slice`;
const FOUND = 'v Nullable(Int64), name Nullable(String), w Nullable(Int64)';

/** Makes traces known to the catalog without reading them. */
async function addToCatalog(addresses: string[]): Promise<void> {
  const rows = addresses.map((address) => `(${literal(address)}, 'local')`).join(', ');
  const into = 'INSERT INTO bigtrace.trace_catalog (address, store) VALUES';
  await system.sql(`${into} ${rows}`, { user: 'admin' });
}

onExecutedBridge(
  'every view finds the same types, and takes them in its form with a structure',
  async () => {
    await addToCatalog(['/local/few/a', '/local/few/b']);
    const view = 'CREATE VIEW bigtrace.few AS SELECT address FROM bigtrace.trace_catalog';
    await system.sql(`${view} WHERE address LIKE '/local/few/%'`, { user: 'admin' });
    const traces = "traces=['/local/few/*']";
    const filter = `filter='address LIKE \\'/local/few/%\\''`;
    const sample = "sample=['/local/few/a']";
    const table = "table='few', on_failure=";
    const calls = [
      ['bigtrace', traces],
      ['bigtrace_lenient', traces],
      ['bigtrace_answers', traces],
      ['bigtrace_where', filter],
      ['bigtrace_where_lenient', filter],
      ['bigtrace_table', `${table}'strict'`, sample],
      ['bigtrace_table', `${table}'lenient'`, sample],
    ];
    for (const [name = '', chosen = '', toSample] of calls) {
      const structure = `structure='v BIGINT NULL, name TEXT NULL, w Nullable(Int64)'`;
      const found = toSample === undefined ? chosen : `${toSample}, ${chosen}`;
      for (const [call, args] of [
        [name, found],
        [`${name}_as`, `${structure}, ${chosen}`],
      ]) {
        const from = `${call}(${args}, sql=${literal(SCRIPT)})`;
        const types = 'toTypeName(any(v)), toTypeName(any(name)), toTypeName(any(w))';
        const select = `sum(v), countIf(name LIKE 'a%'), max(w), ${types}`;
        expect([call, await rowsOf(analyst, `SELECT ${select} FROM ${from}`)]).toEqual([
          call,
          [['20000', '1', null, 'Nullable(Int64)', 'Nullable(String)', 'Nullable(Int64)']],
        ]);
      }
    }
  },
);

onExecutedBridge('CREATE TABLE AS SELECT stores columns without a value', async () => {
  const from = `bigtrace(traces=['/local/few/*'], sql=${literal(SCRIPT)})`;
  const create = 'CREATE TABLE bigtrace.made ENGINE = MergeTree ORDER BY tuple()';
  await system.sql(`${create} AS SELECT * EXCEPT (_trace_address) FROM ${from}`, { user: 'admin' });
  const columns = await rowsOf(analyst, 'DESCRIBE bigtrace.made');
  expect(columns.map(([name, type]) => `${name} ${type}`).join(', ')).toBe(FOUND);
  expect(await rowsOf(analyst, 'SELECT * FROM bigtrace.made ORDER BY name')).toEqual([
    ['10000', 'a', null],
    ['10000', 'b', null],
  ]);
});

onExecutedBridge(
  'materialize stores columns without a value, and refuses a late value with a remedy that works',
  async () => {
    await addToCatalog(Array.from({ length: 8 }, (_, at) => `/local/late/t${at + 1}`));
    const database = openDatabase({
      url: system.clickhouseHttp,
      username: 'admin',
      password: system.adminPassword,
    });
    onTestFinished(() => database.close());
    const run = (name: string, traces: string, sql: string, structure?: string) => {
      const settings = parseSettings([{ setting_id: 'traces', values: [traces] }]);
      return materialize({ name, sql, settings, structure }, database, () => {});
    };
    const stored = async (name: string, select: string): Promise<unknown[][]> =>
      rowsOf(analyst, `SELECT ${select} FROM bigtrace_results.${name}`);
    expect(await run('few', '/local/few/*', SCRIPT)).toMatchObject({ asked: 2, failed: 0 });
    expect(await stored('few', 'sum(v), max(w), toTypeName(any(w))')).toEqual([
      ['20000', null, 'Nullable(Int64)'],
    ]);
    const sql = `${MIXED_NUMBER} WHERE 1`; // no other query has taught its types
    for (const _ of ['first', 'second'])
      await expect(run('late', '/local/late/*', sql)).rejects.toThrow(
        /t8\].*column v .* cannot hold number 2\.75.*--structure 'v Nullable\(Int64\)'/s,
      );
    await run('late', '/local/late/*', sql, 'v Nullable(Float64)');
    expect(await stored('late', 'sum(v), count()')).toEqual([[30.75, '8']]);
  },
);

test('the HTTP backend fails on a late value once, and returns it the second time', async () => {
  const page = new BigtracePage(system);
  const body = {
    perfetto_sql: `${MIXED_NUMBER} ORDER BY v`,
    settings: [{ setting_id: 'traces', values: ['/local/late/*'] }],
    limit: 50,
  };
  const first = await page.run(body);
  expect(first.status).toMatchObject({ status: 'FAILED' });
  expect(JSON.stringify(first.status)).toMatch(/t8\].*cannot hold number 2\.75/);
  const second = await page.run(body);
  expect(second.status).toMatchObject({ status: 'SUCCESS' });
  const { body: rows } = await page.post(`/query_executions/${second.uuid}:fetch_results`, {});
  const values = valuesOf(rows).map(([, value]) => value);
  expect(values.toSorted()).toEqual(['1', '2', '2.75', '3', '4', '5', '6', '7']);
});

onExecutedBridge(
  'a client that sends the database default calls the view with and without its database',
  async () => {
    const call =
      "bigtrace(traces=['/local/few/*'], sql=$$SELECT dur, name = 'a' AS is_a FROM slice$$)";
    const settings = { database: 'default' };
    for (const name of [call, `bigtrace.${call}`]) {
      const select = `SELECT sum(is_a), sum(dur) FROM ${name}`;
      expect(await system.sql(select, { settings })).toBe('1\t20000\n');
    }
    const other = `bigtrace.${call.replace(', sql', ", on_failure='lenient', sql")}`;
    await expect(system.sql(`SELECT 1 FROM ${other}`, { settings })).rejects.toThrow(
      'bigtrace has no argument on_failure',
    );
  },
);
