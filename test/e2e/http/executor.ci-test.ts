/** Queries over a real ClickHouse, with replicas that die, stop or look at each other between any two statements. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestEngine, type TestEngine } from '../../../clickhouse/testing/engine.ts';
import { History } from '../../../http-api/queries/history.ts';
import { ROOT } from '../../../lib/common/root.ts';
import {
  asked,
  delayedAt,
  dyingAfter,
  dyingAt,
  ended,
  NEVER,
  NOBODY,
  type Replica,
  replica,
  TABLE_LIFE_MS,
  valuesOf,
} from '../../harness/http-replica.ts';

let t: TestEngine;
let healthy: Replica;
const ROWS = 'row /local/a n=1; row /local/b n=2; end';

beforeAll(async () => {
  t = await startTestEngine();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(Date.now());
  healthy = replica(t);
});
afterEach(async () => {
  await healthy[Symbol.asyncDispose]();
  vi.useRealTimers();
  const admin = t.as('admin');
  await admin.command({ query: "KILL QUERY WHERE user = 'bigtrace_backend' SYNC" });
  await admin.command({ query: 'TRUNCATE TABLE bigtrace.query_history' });
});

/** Lets so much time pass that a query that nobody runs is started again. */
function later(): void {
  vi.setSystemTime(Math.max(Date.now(), vi.getRealSystemTime()) + 10_000);
}

/** Script that gives two rows, then waits for the file, then gives the third. */
function waiting(name: string): { commands: string; go: () => void } {
  const file = join(t.scratch, name);
  const wait = `until [ -e ${file} ]; do beat || exit; sleep 0.05; done`;
  return {
    commands: `row /local/a n=1; row /local/a n=2; ${wait}; row /local/b n=3; end`,
    go: () => writeFileSync(file, ''),
  };
}

async function isInserting(uuid: string): Promise<boolean> {
  const query = `SELECT count() FROM system.processes WHERE query_id = '${uuid}' AND query_kind = 'Insert'`;
  return (await healthy.database.count(query)) > 0;
}

const SOON = { timeout: 60_000, interval: 20 };

function untilInserting(uuid: string): PromiseLike<void> {
  return expect.poll(() => isInserting(uuid), SOON).toBe(true);
}

test.each(['before', 'after'] as const)(
  'a replica that dies %s any statement takes no query with it',
  async (when) => {
    for (let n = 1; ; n += 1) {
      const { hook, isDead } = dyingAt(n, when);
      await using dying = replica(t, hook);
      const started = await dying.executor.start(asked(ROWS), NEVER).catch(() => undefined);
      if (started === undefined) continue; // the client got an error
      for (const end = Date.now() + 5000; dying.executor.running > 0 && Date.now() < end; )
        await new Promise((resolve) => setTimeout(resolve, 10));
      later();
      expect(await ended(healthy, started.uuid), `dead ${when} ${n}`).toMatchObject({
        status: 'SUCCESS',
        ...{ processedRows: 2, processedTraces: 2, totalTraces: 2, errorMessage: '' },
      });
      expect(await valuesOf(healthy, started.uuid)).toEqual(['1', '2']);
      if (!isDead()) break;
    }
  },
);

test('a replica that looks at the queries between any two statements of another harms none', async () => {
  const poll = async () => {
    later();
    for (const { status } of await healthy.executor.list()) expect(status).not.toBe('FAILED');
  };
  await using polled = replica(t, poll);
  const { uuid } = await polled.executor.start(asked(ROWS), NEVER);
  expect((await ended(healthy, uuid)).status).toBe('SUCCESS');
  expect(await valuesOf(healthy, uuid)).toEqual(['1', '2']);
});

test('a look at the queries that fails at any statement harms none', async () => {
  const { commands, go } = waiting('look');
  const { uuid } = await healthy.executor.start(asked(commands), NEVER);
  await untilInserting(uuid);
  for (let n = 1; ; n += 1) {
    const { hook, isDead } = dyingAt(n, 'before');
    await using dying = replica(t, hook);
    later();
    await dying.executor.list().catch(() => undefined);
    if (!isDead()) break;
  }
  go();
  expect((await ended(healthy, uuid)).status).toBe('SUCCESS');
  expect(await valuesOf(healthy, uuid)).toEqual(['1', '2', '3']);
});

test('a query runs on when its replica stops, and each replica sees its rows, its end, and why it failed', async () => {
  const { commands, go } = waiting('stops');
  const stopping = replica(t);
  const failing = commands.replace(
    /end$/,
    "echo 'the worker burnt (worker_lost)' >&2; end; exit 1",
  );
  const [good, bad] = [
    await stopping.executor.start(asked(commands), NEVER),
    await stopping.executor.start(asked(failing), NEVER),
  ];
  for (const { uuid } of [good, bad]) await untilInserting(uuid);
  await stopping[Symbol.asyncDispose]();
  await expect
    .poll(async () => (await healthy.executor.find(good.uuid)).processedRows, SOON)
    .toBe(1);
  expect(await healthy.executor.find(good.uuid)).toMatchObject({
    status: 'IN_PROGRESS',
    columns: [{ name: '_trace_address' }, { name: 'n', type: 'STRING' }],
  });
  go();
  expect(await ended(healthy, good.uuid)).toMatchObject({ status: 'SUCCESS', processedRows: 3 });
  expect(await ended(healthy, bad.uuid)).toMatchObject({
    status: 'FAILED',
    errorMessage: 'the worker burnt',
  });
  expect(await valuesOf(healthy, good.uuid)).toEqual(['1', '2', '3']);
});

test('a query during which ClickHouse was restarted has failed', async () => {
  const { commands } = waiting('restart');
  const { uuid } = await healthy.executor.start(asked(commands), NEVER);
  await untilInserting(uuid);
  await expect.poll(async () => (await healthy.executor.find(uuid)).processedRows, SOON).toBe(1);
  // ClickHouse says when it was started with a precision of a second: a query that changed just before is started again.
  const settledLongAgo = `SELECT count() FROM bigtrace.query_history
    WHERE uuid = '${uuid}' AND written_at < now64(3) - toIntervalSecond(2)`;
  await expect.poll(() => healthy.database.count(settledLongAgo), SOON).toBe(1);
  await t.restart();
  await healthy[Symbol.asyncDispose]();
  healthy = replica(t);
  later();
  expect(await ended(healthy, uuid)).toMatchObject({
    ...{ status: 'FAILED', processedRows: 1 },
    errorMessage: 'ClickHouse was restarted before the query ended',
  });
  expect(await valuesOf(healthy, uuid)).toEqual(['1']);
});

test('replicas accept no more queries than the bound, however many are submitted at once', async () => {
  await using other = replica(t);
  const plan = { addresses: [], strict: false, timeoutS: 0, metadataColumns: [], base: '' };
  const accepted = { plan, keeps: { session: '', statements: [] } };
  const { uuid, ...one } = await healthy.executor.start(asked(ROWS), NEVER);
  await ended(healthy, uuid);
  const histories = [healthy, other].map(({ database }) => new History(database));
  const refusals = await Promise.all(
    Array.from({ length: 60 }, (_, at) =>
      histories[at % 2]?.submit({ ...one, uuid: `q${at}`, tableName: `t${at}` }, accepted, 25),
    ),
  );
  expect(refusals.filter((refusal) => refusal === undefined)).toHaveLength(25);
  for (const refusal of refusals)
    if (refusal !== undefined) expect(refusal).toEqual({ running: 25, nameTakenBy: undefined });
});

test('a table name has one query, and nobody else’s table is dropped', async () => {
  await using other = replica(t);
  const request = asked(ROWS, { tableName: 'wanted' });
  const both = await Promise.allSettled(
    [healthy, other].map(({ executor }) => executor.start(request, NEVER)),
  );
  const [winner] = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value.uuid] : []));
  const [reason] = both.flatMap((one) => (one.status === 'rejected' ? [one.reason.message] : []));
  expect(reason).toBe(
    `table bigtrace_results.wanted is of query ${winner}; choose another name, or delete that query`,
  );
  expect((await ended(healthy, winner ?? '')).status).toBe('SUCCESS');
  const admin = t.as('admin');
  await admin.command({ query: 'DROP TABLE bigtrace_results.wanted' });
  await expect(valuesOf(healthy, winner ?? '')).rejects.toThrow(
    'table bigtrace_results.wanted of the query was dropped',
  );
  const columns = '(x UInt8) ENGINE = MergeTree ORDER BY x';
  await admin.command({ query: `CREATE TABLE bigtrace_results.wanted ${columns}` });
  await healthy.executor.remove(winner ?? '', true);
  expect(await healthy.executor.tableExists('wanted')).toBe(true);
  await expect(healthy.executor.start(request, NEVER)).rejects.toThrow(
    'table bigtrace_results.wanted exists already; choose another name',
  );
  await admin.command({ query: 'DROP TABLE bigtrace_results.wanted' });
});

/** Tables that a replica has renamed in order to drop them. */
function halfDropped(): Promise<number> {
  const query = "SELECT count() FROM system.tables WHERE name LIKE 'dropped%'";
  return healthy.database.count(query);
}

test('a deletion that is delayed at any statement, or dies there, drops nobody else’s table', async () => {
  const request = asked(ROWS, { tableName: 'reused' });
  for (let n = 1, wasDelayed = () => true; wasDelayed(); n += 1) {
    for (const dies of n === 1 ? [true, false] : [false]) {
      const { uuid } = await healthy.executor.start(request, NEVER);
      await ended(healthy, uuid);
      let other = uuid;
      const delayed = delayedAt(n, async () => {
        await healthy.executor.remove(uuid, true);
        other = (await healthy.executor.start(request, NEVER)).uuid;
        await ended(healthy, other);
      });
      wasDelayed = delayed.wasDelayed;
      const end = dyingAfter(/^RENAME/);
      await using slow = replica(t, async (...statement) => {
        await delayed.hook(...statement);
        if (dies) await end.hook(...statement);
      });
      await slow.executor.remove(uuid, true).catch(() => undefined);
      await healthy.executor.settle();
      if (other !== uuid)
        expect(await valuesOf(healthy, other), `delayed at ${n}`).toEqual(['1', '2']);
      await healthy.executor.remove(other, true);
      expect(await healthy.executor.tableExists('reused')).toBe(false);
      expect(await halfDropped()).toBe(0);
    }
  }
});

test('a start that is delayed at any statement drops no table of a later start', async () => {
  for (let n = 1, wasDelayed = () => true; wasDelayed(); n += 1) {
    const dying = dyingAfter(/^CREATE TABLE/);
    await using first = replica(t, dying.hook);
    const { uuid } = await first.executor.start(asked(ROWS), NEVER);
    await expect.poll(dying.isDead, SOON).toBe(true);
    later();
    const delayed = delayedAt(n, async () => {
      later();
      await ended(healthy, uuid);
    });
    wasDelayed = delayed.wasDelayed;
    await using second = replica(t, delayed.hook);
    await second.executor.settle();
    await expect.poll(() => second.executor.running, SOON).toBe(0);
    expect((await ended(healthy, uuid)).status).toBe('SUCCESS');
    expect(await valuesOf(healthy, uuid), `delayed at ${n}`).toEqual(['1', '2']);
    expect(await halfDropped()).toBe(0);
  }
});

test('a cancelled query keeps its rows, also if its canceller dies before it kills the query', async () => {
  const { commands } = waiting('cancelled');
  const { uuid } = await healthy.executor.start(asked(commands), NEVER);
  await untilInserting(uuid);
  await expect.poll(async () => (await healthy.executor.find(uuid)).processedRows, SOON).toBe(1);
  for (let n = 1; (await healthy.executor.find(uuid)).status === 'IN_PROGRESS'; n += 1) {
    await using dying = replica(t, dyingAt(n, 'after').hook);
    await dying.executor.cancel(uuid).catch(() => undefined);
  }
  await using fresh = replica(t);
  await fresh.executor.settle();
  await expect.poll(() => isInserting(uuid), SOON).toBe(false);
  expect(await healthy.executor.find(uuid)).toMatchObject({
    ...{ status: 'CANCELLED', errorMessage: 'cancelled', processedRows: 1 },
  });
  expect(await valuesOf(healthy, uuid)).toEqual(['1']);
});

test('rows of a running query are visible although columns of the catalog are joined, and stay if it is cancelled', async () => {
  const { commands } = waiting('joined');
  const request = asked(commands, { metadataColumns: ['size', 'link'] });
  const { uuid } = await healthy.executor.start(request, NEVER);
  await untilInserting(uuid);
  await expect.poll(async () => (await healthy.executor.find(uuid)).processedRows, SOON).toBe(1);
  expect(await valuesOf(healthy, uuid)).toEqual(['1']);
  await expect(healthy.executor.download(uuid, 'CSVWithNames', NEVER)).rejects.toThrow(
    'the query is running, so a file would lack rows',
  );
  await healthy.executor.cancel(uuid);
  expect(await healthy.executor.find(uuid)).toMatchObject({
    ...{ status: 'CANCELLED', processedRows: 1 },
    columns: ['_trace_address', 'n', 'size', 'link'].map((name) => ({ name })),
  });
  expect(await valuesOf(healthy, uuid)).toEqual(['1']);
});

test('deleting a running query cancels it first', async () => {
  const { commands } = waiting('deleted');
  const { uuid, tableName } = await healthy.executor.start(asked(commands), NEVER);
  await untilInserting(uuid);
  await healthy.executor.remove(uuid, true);
  expect(await isInserting(uuid)).toBe(false);
  await expect(healthy.executor.find(uuid)).rejects.toThrow(`there is no query ${uuid}`);
  expect(await healthy.executor.tableExists(tableName)).toBe(false);
});

test('a query whose client leaves at any statement of its start does not run', async () => {
  for (let n = 1; ; n += 1) {
    const gone = new AbortController();
    let left = false;
    const leaveAt = (at: number): void => {
      if (at !== n) return;
      left = true;
      gone.abort(new Error('the client has left'));
    };
    await using leaving = replica(t, leaveAt);
    const { commands } = waiting(`left-${n}`);
    const request = asked(commands, { materialized: false });
    const started = await leaving.executor.start(request, gone.signal).catch(() => undefined);
    if (started === undefined) continue;
    if (!left) gone.abort(new Error('the client has left'));
    await leaving.executor.ended(started.uuid, gone.signal).catch(() => undefined);
    expect((await ended(healthy, started.uuid)).status).toBe('CANCELLED');
    await expect.poll(() => isInserting(started.uuid), SOON).toBe(false);
    if (n > 4) break;
  }
});

test('queries that their users did not name are deleted when their life has ended', async () => {
  const requests = [
    asked(ROWS),
    asked(ROWS, { materialized: false }),
    asked(ROWS, { tableName: 'named' }),
  ];
  const all = await Promise.all(requests.map((one) => healthy.executor.start(one, NEVER)));
  for (const { uuid } of all) await ended(healthy, uuid);
  await healthy.executor.expire();
  expect(await healthy.executor.list()).toHaveLength(3);
  vi.setSystemTime(Date.now() + TABLE_LIFE_MS + 1000);
  await healthy.executor.expire();
  expect((await healthy.executor.list()).map(({ tableName }) => tableName)).toEqual(['named']);
  for (const { tableName } of all)
    expect(await healthy.executor.tableExists(tableName)).toBe(tableName === 'named');
});

test('an error in column finding ends the query with the orchestrator’s lines', async () => {
  const failures = async () => ['no such column: nope\n  SELECT nope\n         ^'];
  await using one = replica(t, undefined, { ...NOBODY, failures });
  const request = {
    ...asked(''),
    perfettoSql: '@!no such column: nope SELECT nope;;',
  };
  const { uuid } = await one.executor.start(request, NEVER);
  expect(await ended(one, uuid)).toMatchObject({
    status: 'FAILED',
    errorMessage: 'no such column: nope\n  SELECT nope\n         ^',
  });
});

test('the history of an earlier version is upgraded; what its queries have cost is unknown', async () => {
  const { uuid } = await healthy.executor.start(asked(ROWS), NEVER);
  const cost = { coreMs: 1500, traceBytes: 7000, tracesRemembered: 1, tracesParsed: 1 };
  expect(await ended(healthy, uuid)).toMatchObject({ status: 'SUCCESS', cost });
  const admin = t.as('admin');
  const columns = ['core_ms', 'trace_bytes', 'traces_remembered', 'traces_loaded'];
  const dropped = [...columns, 'traces_restored', 'traces_parsed'].map(
    (one) => `DROP COLUMN ${one}`,
  );
  await admin.command({ query: `ALTER TABLE bigtrace.query_history ${dropped.join(', ')}` });
  const upgrade = join(ROOT, 'clickhouse/sql-upgrades/36-query_history_plan.sql');
  await admin.command({ query: readFileSync(upgrade, 'utf8') });
  const { cost: old, ...rest } = await healthy.executor.find(uuid);
  expect([old, rest.status, rest.errorMessage]).toEqual([undefined, 'SUCCESS', '']);
  const next = await healthy.executor.start(asked(ROWS), NEVER);
  expect(await ended(healthy, next.uuid)).toMatchObject({ status: 'SUCCESS', cost });
});

test('views of an older version are named, with what installs them again', async () => {
  const admin = t.as('admin');
  await admin.command({ query: 'RENAME TABLE bigtrace.script_columns TO bigtrace.newer' });
  const { uuid } = await healthy.executor.start(asked(ROWS), NEVER);
  expect(await ended(healthy, uuid)).toMatchObject({
    status: 'FAILED',
    errorMessage:
      'ClickHouse lacks the view bigtrace.script_columns: its views are of an older version than the HTTP API; start ' +
      'ClickHouse of the same version, or on a ClickHouse of your own, run `bigtrace clickhouse install` again',
  });
  await admin.command({ query: 'RENAME TABLE bigtrace.newer TO bigtrace.script_columns' });
});
