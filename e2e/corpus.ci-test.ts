/** Every trace of the corpus: known counts through ClickHouse and gRPC; the bad ones fail cleanly. */
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

async function start(env: Record<string, string>): Promise<void> {
  system = await startSystem({ workers: 2, traces: CORPUS, env });
  analyst = clickhouseAs(system, 'analyst');
}

async function stop(): Promise<void> {
  await analyst?.close();
  await system?.stop();
}

type Counts = Map<string, unknown[]>;

async function countsThroughClickHouse(asked: Counts): Promise<Counts> {
  const rows = await rowsOf(
    analyst,
    `SELECT * FROM bigtrace(traces=${arrayOf([...asked.keys()])}, sql='${COUNTS_SQL}')`,
  );
  expect(rows).toHaveLength(asked.size);
  return new Map(rows.map(([address, ...values]) => [String(address), values]));
}

describe('every trace that loads has its known counts', () => {
  beforeAll(() => start({}));
  afterAll(stop);

  test('through ClickHouse', async () => {
    expect(await countsThroughClickHouse(expected)).toEqual(expected);
  });

  test('through gRPC', async () => {
    const rows = await queryOverGrpc(system.orchestrator, [...expected.keys()], COUNTS_SQL);
    const found = new Map(rows.map(({ trace, values }) => [trace, values.map(String)]));
    expect(found).toEqual(expected);
    expect(rows).toHaveLength(expected.size);
  });
});

describe('a bad trace gives an error that names it', () => {
  // Three of them hang the parser.
  beforeAll(() => start({ BIGTRACE_TRACE_TIMEOUT: '25s' }));
  afterAll(stop);

  test.each(failing.map(({ path, error }) => ({ path, error })))('$path', async ({ path }) => {
    const message = await errorOf(
      analyst,
      `SELECT * FROM bigtrace(traces=${arrayOf([`/local/${path}`])}, sql='SELECT count(*) AS n FROM slice')`,
    );
    expect(message).toContain(`/local/${path}`);
    expect(message).not.toMatch(/no such table/);
  });

  test('and after all of them the system answers', async () => {
    const quick = new Map([...expected].filter(([address]) => !/bomb/.test(address)));
    expect(await countsThroughClickHouse(quick)).toEqual(quick);
  });
});
