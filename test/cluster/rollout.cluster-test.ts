/** Tests that queries outlive a rollout of the part that runs them, and that tables do. */
import { beforeAll, expect, test } from 'vitest';
import {
  kubectl,
  processing,
  restart,
  SECONDS_OF_WORK,
  settled,
  slowQuery,
  slowRows,
  sql,
} from './cluster.ts';

beforeAll(settled);

test.each(['worker', 'orchestrator'] as const)(
  'a rollout of %s during a query: the query returns every row once',
  async (part) => {
    const upTo = SECONDS_OF_WORK + 100 + part.length;
    const query = sql(slowQuery(upTo));
    await processing();
    await Promise.all([expect(query).resolves.toBe(slowRows(upTo)), restart(part)]);
    expect(await sql(slowQuery(10 + part.length))).toBe(slowRows(10 + part.length));
  },
);

test('a rollout of ClickHouse during a query: the query returns every row once, or fails', async () => {
  const upTo = SECONDS_OF_WORK + 200;
  const query = sql(slowQuery(upTo)).catch((error: Error) => error);
  await processing();
  const [outcome] = await Promise.all([query, restart('clickhouse')]);
  // The embedded engine in the stand-in for ClickHouse's image does not wait for queries before it ends.
  const isStandIn = await kubectl('exec', 'clickhouse-0', '--', 'ls', '/opt').then((names) =>
    names.includes('stand-in'),
  );
  if (!isStandIn || typeof outcome === 'string') expect(outcome).toBe(slowRows(upTo));
  expect(await sql(slowQuery(20))).toBe(slowRows(20));
});

test('tables survive a rollout of ClickHouse', async () => {
  await sql(
    `CREATE TABLE kept ENGINE = MergeTree ORDER BY _trace_address AS SELECT _trace_address, n
     FROM bigtrace(traces=['/local/linux/*'], sql='SELECT count(*) AS n FROM sched')`,
    { user: 'admin' },
  );
  const before = await sql('SELECT count(), sum(n) FROM kept');
  await restart('clickhouse');
  expect(await sql('SELECT count(), sum(n) FROM kept')).toBe(before);
  await sql('DROP TABLE kept', { user: 'admin' });
});
