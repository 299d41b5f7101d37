/** Tests that cancelling a query cancels its work on the workers, and that LIMIT ends a query early. */
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import { usesResidentBridge } from '../../harness/resident/resident.ts';
import { type System, startSystem } from '../../harness/system.ts';
import { untilIdle, untilRunning } from '../../harness/workers.ts';

/** Arguments of a query that never ends and never returns a row. */
const ENDLESS = `traces=['/local/**'], sql='WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) AS n FROM t'`;
const ENDLESS_QUERY = `SELECT * FROM bigtrace_as(structure='n Int64', ${ENDLESS})`;

let system: System;
let analyst: ClickHouseClient;
let admin: ClickHouseClient;

beforeAll(async () => {
  system = await startSystem({ workers: 2 });
  analyst = clickhouseAs(system, 'analyst');
  admin = clickhouseAs(system, 'admin');
});
afterAll(async () => {
  await analyst?.close();
  await admin?.close();
  await system?.stop();
});
afterEach(async () => {
  expect(await rowsOf(analyst, `SELECT 1`)).toEqual([[1]]);
});

test('KILL QUERY cancels the work on the workers', async () => {
  const queryId = crypto.randomUUID();
  const running = analyst
    .query({ query: ENDLESS_QUERY, query_id: queryId })
    .then((response) => response.text())
    .catch((thrown: Error) => thrown.message);
  await untilRunning(system);
  await admin.command({ query: `KILL QUERY WHERE query_id = '${queryId}'` });
  await untilIdle(system);
  expect(await running).toMatch(/QUERY_WAS_CANCELLED|cancelled/i);
});

test('max_execution_time cancels the work on the workers', async () => {
  const message = await errorOf(analyst, `${ENDLESS_QUERY} SETTINGS max_execution_time = 1`);
  expect(message).toMatch(/TIMEOUT_EXCEEDED|Timeout exceeded/i);
  await untilIdle(system);
});

test('max_execution_time ends column finding with the code of a deadline', async () => {
  const message = await errorOf(
    analyst,
    `SELECT * FROM bigtrace(${ENDLESS}) SETTINGS max_execution_time = 1`,
  );
  // With the resident bridge, ClickHouse ends the query itself.
  expect(message).toMatch(
    usesResidentBridge()
      ? /Timeout exceeded/
      : /the columns of the script were not found within max_execution_time \(1 s\) \(deadline_exceeded\)/,
  );
  await untilIdle(system);
});

test('a disconnect of an HTTP client cancels the work on the workers', async () => {
  const abort = new AbortController();
  const running = analyst
    .query({ query: ENDLESS_QUERY, abort_signal: abort.signal })
    .then((response) => response.text())
    .catch((thrown: Error) => thrown.message);
  await untilRunning(system);
  abort.abort();
  await running;
  await untilIdle(system);
});

test('a query with LIMIT ends although a script never ends', async () => {
  const rows = await rowsOf(
    analyst,
    `SELECT n FROM bigtrace_as(structure='n Int64', traces=['/local/**'],
       sql='WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t') LIMIT 5`,
  );
  expect(rows).toHaveLength(5);
  await untilIdle(system);
});
