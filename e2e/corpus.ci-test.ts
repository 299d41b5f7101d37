/** Every trace of the corpus: known counts through ClickHouse and gRPC; the bad ones fail cleanly. */
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CORPUS, COUNTS_SQL, corpusTraces } from '../test/corpus/index.ts';
import { arrayOf, clickhouseAs, errorOf, rowsOf } from './asking.ts';
import { type System, startSystem } from './harness.ts';
import { queryOverGrpc } from './over-grpc.ts';

const traces = corpusTraces();
const loading = traces.filter((trace) => trace.loads);
const failing = traces.filter((trace) => !trace.loads);
const expected = new Map(
  loading.map(({ path, counts, durationNs }) => [
    `/local/${path}`,
    [...counts.map(String), durationNs],
  ]),
);

let system: System;
let analyst: ClickHouseClient;

beforeAll(async () => {
  system = await startSystem({
    workers: 2,
    traces: CORPUS,
    env: { BIGTRACE_TRACE_TIMEOUT: '25s' }, // three of the bad traces hang the parser
  });
  analyst = clickhouseAs(system, 'analyst');
});
afterAll(async () => {
  await analyst?.close();
  await system?.stop();
});

async function countsThroughClickHouse(): Promise<Map<unknown, unknown[]>> {
  const rows = await rowsOf(
    analyst,
    `SELECT * FROM bigtrace(traces=${arrayOf([...expected.keys()])}, sql='${COUNTS_SQL}')`,
  );
  expect(rows).toHaveLength(loading.length);
  return new Map(rows.map(([address, ...values]) => [address, values]));
}

test('the counts of every trace that loads are the known ones, through ClickHouse', async () => {
  expect(await countsThroughClickHouse()).toEqual(expected);
}, 120_000);

test('the same through gRPC', async () => {
  const rows = await queryOverGrpc(system.orchestrator, [...expected.keys()], COUNTS_SQL);
  const found = new Map(rows.map(({ trace, values }) => [trace, values.map(String)]));
  expect(found).toEqual(expected);
  expect(rows).toHaveLength(loading.length);
}, 120_000);

test.each(failing.map(({ path, error }) => ({ path, error })))(
  'a bad trace gives an error that names it: $path',
  async ({ path }) => {
    const message = await errorOf(
      analyst,
      `SELECT * FROM bigtrace(traces=${arrayOf([`/local/${path}`])}, sql='SELECT count(*) AS n FROM slice')`,
    );
    expect(message).toContain(`/local/${path}`);
    expect(message).not.toMatch(/no such table/);
  },
  90_000,
);

test('after all of them the system answers as before', async () => {
  expect(await countsThroughClickHouse()).toEqual(expected);
}, 120_000);
