/** Queries every trace of the corpus: row counts match the manifest, and bad traces fail with a clear error. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arrayLiteral } from '../../../lib/common/text/sql-literal.ts';
import { escapeTsv } from '../../../lib/common/text/tsv-text.ts';
import type { CellValue } from '../../../lib/query-result/index.ts';
import { CORPUS, CORPUS_SOURCE, COUNTS_SQL, corpusTraces } from '../../corpus/index.ts';
import { queryOverGrpc } from '../../harness/over-grpc.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import { type System, startSystem } from '../../harness/system.ts';

const traces = corpusTraces();
const loading = traces.filter((trace) => trace.loads);
const failing = traces.filter((trace) => !trace.loads);
const expected = new Map(
  loading.map(({ path, counts, durationNs }) => [
    `/local/${path}`,
    [...counts.map(String), durationNs],
  ]),
);

const EXPECTED = join(CORPUS_SOURCE, 'expected');

/**
 * Reads the expected results from the files `QUERY__TRACE.tsv`. TRACE is the path of the trace without `recorded/`,
 * with `_` instead of `/`.
 */
function fleetQueries(): { query: string; path: string; expectedRows: string[][] }[] {
  const paths = new Map(
    loading.map(({ path }) => [path.replace(/^recorded\//, '').replaceAll('/', '_'), path]),
  );
  const files = readdirSync(EXPECTED).filter((file) => file.endsWith('.tsv'));
  return files.map((file) => {
    const [query = '', trace = ''] = file.slice(0, -'.tsv'.length).split('__');
    const path = paths.get(trace);
    if (path === undefined) throw new Error(`${file}: the corpus has no trace ${trace}`);
    const [, ...lines] = readFileSync(join(EXPECTED, file), 'utf8').replace(/\n$/, '').split('\n');
    return { query, path, expectedRows: lines.map((line) => line.split('\t')) };
  });
}

function fieldOf(value: CellValue): string {
  if (value === null) return '\\N';
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`;
  return escapeTsv(String(value));
}

let system: System;
let analyst: ClickHouseClient;

async function start(env: Record<string, string>): Promise<void> {
  system = await startSystem({ workers: 2, traces: CORPUS, env });
  analyst = clickhouseAs(system, 'analyst');
}

async function stop(): Promise<void> {
  await analyst?.close();
  await system?.stop();
}

type Counts = Map<string, unknown[]>;

async function countsThroughClickHouse(expected: Counts): Promise<Counts> {
  const rows = await rowsOf(
    analyst,
    `SELECT * FROM bigtrace(traces=${arrayLiteral([...expected.keys()])}, sql='${COUNTS_SQL}')`,
  );
  expect(rows).toHaveLength(expected.size);
  return new Map(rows.map(([address, ...values]) => [String(address), values]));
}

describe('every trace that loads returns its known row counts', () => {
  beforeAll(() => start({}));
  afterAll(stop);

  test('through ClickHouse', async () => {
    expect(await countsThroughClickHouse(expected)).toEqual(expected);
  });

  test('through gRPC', async () => {
    const rows = await queryOverGrpc(system.orchestrator, [...expected.keys()], COUNTS_SQL);
    const counts = new Map(rows.map(({ trace, values }) => [trace, values.map(String)]));
    expect(counts).toEqual(expected);
    expect(rows).toHaveLength(expected.size);
  });

  test.each(fleetQueries())('$query of $path has its known rows', async (known) => {
    const { query, path, expectedRows } = known;
    const sql = readFileSync(join(EXPECTED, `${query}.sql`), 'utf8');
    const rows = await queryOverGrpc(system.orchestrator, [`/local/${path}`], sql);
    expect(rows.map(({ values }) => values.map(fieldOf))).toEqual(expectedRows);
  });
});

describe('a query of a bad trace fails with an error that names it', () => {
  // The parser never finishes three of these traces.
  beforeAll(() => start({ BIGTRACE_LOAD_TIME: '10s' }));
  afterAll(stop);

  test.each(failing.map(({ path, error }) => ({ path, error })))('$path', async ({ path }) => {
    const message = await errorOf(
      analyst,
      `SELECT * FROM bigtrace(traces=${arrayLiteral([`/local/${path}`])}, sql='SELECT count(*) AS n FROM slice')`,
    );
    expect(message).toContain(`/local/${path}`);
    expect(message).not.toMatch(/no such table/);
  });

  test('queries still succeed after all bad traces', async () => {
    const quick = new Map([...expected].filter(([address]) => !/bomb/.test(address)));
    expect(await countsThroughClickHouse(quick)).toEqual(quick);
  });
});
