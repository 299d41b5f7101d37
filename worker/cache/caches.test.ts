import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rowsOf } from '../../lib/query-result/index.ts';
import { CORPUS } from '../../test/corpus/index.ts';
import { runScript, sharingWorker, tempDir, until } from '../testing/worker.ts';

const CANVAS = '/local/recorded/chrome/canvas-a.pftrace';
const LONGTASK = '/local/recorded/chrome/longtask-a.pftrace';
const COMPILE = '/local/recorded/linux/compile-c.pftrace';

/** Takes some tens of milliseconds on any trace. */
const FAR = 200_000n;
const COUNT_FAR = `WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT ${FAR}) SELECT count(*) FROM n`;

test('a trace is parsed once and then queried in memory, and its result is cached', async () => {
  await using worker = await sharingWorker();
  expect(await runScript(worker, CANVAS, 'SELECT count(*) FROM slice')).toEqual([42382n, 'parse']);
  expect(await runScript(worker, CANVAS, 'SELECT max(id) FROM slice')).toEqual([42381n, 'loaded']);
  expect(await runScript(worker, CANVAS, 'SELECT count(*) FROM slice')).toEqual([42382n, 'result']);
  const { counters } = await worker.client.status();
  expect(counters).toMatchObject({ tier_parse: 1, tier_loaded: 1, tier_result: 1 });
});

test('the result of a script that is not deterministic is not cached', async () => {
  await using worker = await sharingWorker();
  const sql = 'SELECT hex(randomblob(16))';
  const [first] = await runScript(worker, COMPILE, sql);
  const [second, tier] = await runScript(worker, COMPILE, sql);
  expect(tier).toBe('loaded');
  expect(second).not.toBe(first);
});

test('column finding fills the result cache for the query that follows', async () => {
  await using worker = await sharingWorker();
  const sql = 'SELECT count(*) AS n FROM slice';
  const run = worker.client.run({ sql, mode: 'TYPES' });
  await run.endsOf(run.add(CANVAS));
  expect(await runScript(worker, CANVAS, sql)).toEqual([42382n, 'result']);
  const again = worker.client.run({ sql, mode: 'TYPES' });
  const [end] = await again.endsOf(again.add(CANVAS));
  expect(end?.end.types).toMatchObject({
    column: [{ name: Buffer.from('n'), cellKinds: 4 }],
    stats: { tier: 'result', rows: 1 },
  });
});

test('the columns of a cached result can be requested afterwards', async () => {
  await using worker = await sharingWorker();
  const sql = 'SELECT id, name, NULL FROM slice';
  await runScript(worker, CANVAS, sql);
  const run = worker.client.run({ sql, mode: 'TYPES' });
  const [end] = await run.endsOf(run.add(CANVAS));
  expect(end?.end.types).toMatchObject({
    column: [{ cellKinds: 4 }, { cellKinds: 16 }, { cellKinds: 2 }],
    stats: { tier: 'result', rows: 42382 },
  });
});

test('mutated state is rolled back in memory, without parsing the trace again', async () => {
  await using worker = await sharingWorker({ resultMemoryBytesMax: 0 });
  const make = 'CREATE PERFETTO TABLE foo AS SELECT 7 AS x; SELECT x FROM foo';
  expect(await runScript(worker, CANVAS, make)).toEqual([7n, 'parse']);
  expect(await runScript(worker, CANVAS, make)).toEqual([7n, 'loaded']);
  expect(await runScript(worker, CANVAS, 'SELECT x FROM foo')).toEqual([undefined, 'sql_failed']);
  expect(await runScript(worker, CANVAS, 'SELECT count(*) FROM slice')).toEqual([42382n, 'loaded']);
});

test('a script that reads the query history sees none of other queries', async () => {
  await using worker = await sharingWorker({ resultMemoryBytesMax: 0 });
  const history = 'SELECT count(*) FROM sqlstats';
  const [fresh] = await runScript(worker, COMPILE, history);
  await runScript(worker, COMPILE, 'SELECT 1');
  await runScript(worker, COMPILE, 'SELECT 2');
  expect(await runScript(worker, COMPILE, history)).toEqual([fresh, 'parse']);
});

test('a changed trace is loaded again, and a removed trace is an error', async () => {
  await using root = await tempDir();
  const path = join(root.path, 'x.pftrace');
  await copyFile(join(CORPUS, 'recorded/linux/compile-c.pftrace'), path);
  await using worker = await sharingWorker({ stores: { localRoot: root.path } });
  const sql = 'SELECT count(*) FROM sched';
  expect(await runScript(worker, '/local/x.pftrace', sql)).toEqual([3321n, 'parse']);
  await copyFile(join(CORPUS, 'recorded/linux/atrace-print.pftrace'), path);
  const [changed, tier] = await runScript(worker, '/local/x.pftrace', sql);
  expect(tier).toBe('parse');
  expect(changed).not.toBe(3321n);
  await rm(path);
  expect(await runScript(worker, '/local/x.pftrace', sql)).toEqual([undefined, 'trace_not_found']);
});

test('a task with a just listed generation gets its cached result without a lookup in the store', async () => {
  await using root = await tempDir();
  const path = join(root.path, 'x.pftrace');
  const trace = '/local/x.pftrace';
  await copyFile(join(CORPUS, 'recorded/linux/compile-c.pftrace'), path);
  await using worker = await sharingWorker({ stores: { localRoot: root.path } });
  const listed = async (limits = {}): Promise<unknown> => {
    let generation = '';
    for await (const found of worker.client.list([trace])) ({ generation } = found.trace[0]);
    const { counters: before } = await worker.client.status();
    const run = worker.client.run({ sql: 'SELECT count(*) FROM sched', limits });
    const [end] = await run.endsOf([run.addListed(trace, generation)]);
    run.call.end();
    const { counters: after } = await worker.client.status();
    const looks = (after['store_local_stats'] ?? 0) - (before['store_local_stats'] ?? 0);
    const { rows, failure } = end?.end ?? {};
    return [rowsOf(end?.results ?? [])[0]?.[0], rows?.stats?.tier ?? failure?.code, looks];
  };
  expect(await listed()).toEqual([3321n, 'parse', 1]);
  expect(await listed()).toEqual([3321n, 'result', 0]);
  expect(await listed({ traceBytesMax: 1000 })).toEqual([undefined, 'limit_exceeded', 0]);
  await copyFile(join(CORPUS, 'recorded/linux/atrace-print.pftrace'), path);
  const [changed, ...how] = (await listed()) as unknown[];
  expect(how).toEqual(['parse', 1]);
  expect(changed).not.toBe(3321n);
});

test('idle loaded traces are evicted to keep the memory limit', async () => {
  const memoryBytesMax = 170 * 2 ** 20;
  await using worker = await sharingWorker({ memoryBytesMax, resultMemoryBytesMax: 0 });
  const traces = [CANVAS, LONGTASK, '/local/recorded/chrome/dom-a.pftrace'];
  const sql = 'SELECT count(*) FROM slice';
  const first = [];
  for (const trace of traces) first.push((await runScript(worker, trace, sql))[0]);
  const { gauges, counters } = await worker.client.status();
  expect(gauges['loaded_bytes']).toBeLessThanOrEqual(memoryBytesMax);
  expect(gauges['loaded_traces']).toBe(2);
  expect(counters['evictions']).toBe(1);
  const again = [];
  // The last trace goes first because it is certainly loaded; which of the other two is still loaded depends
  // on what they cost.
  for (const trace of traces.reverse()) again.unshift(await runScript(worker, trace, sql));
  expect(again.map(([count]) => count)).toEqual(first);
  expect(again.map(([, tier]) => tier)).toContain('loaded');
  expect(again.map(([, tier]) => tier)).toContain('parse');
});

test('cancelling a query does not evict the loaded traces of others', async () => {
  await using worker = await sharingWorker({ resultMemoryBytesMax: 0 });
  await runScript(worker, CANVAS, 'SELECT count(*) FROM slice');
  const endless = worker.client.run({
    sql: 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n',
  });
  endless.add(COMPILE);
  await until(async () => (await worker.client.status()).tasksRunning > 0);
  endless.call.cancel();
  expect(await runScript(worker, CANVAS, 'SELECT count(*) FROM slice')).toEqual([42382n, 'loaded']);
});

/** On a slow machine, a task could run long enough for a spare thread. */
const NEVER = 3_600_000;

test('tasks that wait only for a thread permit do not cause their traces to be loaded again', async () => {
  await using worker = await sharingWorker({
    resultMemoryBytesMax: 0,
    threads: 1,
    longTaskMs: NEVER,
  });
  const traces = [CANVAS, LONGTASK, COMPILE];
  for (const trace of traces) await runScript(worker, trace, 'SELECT 1');
  const outcomes = Array.from({ length: 12 }, (_, at) =>
    runScript(worker, traces[at % traces.length] ?? '', COUNT_FAR),
  );
  expect(await Promise.all(outcomes)).toEqual(outcomes.map(() => [FAR, 'loaded']));
});

test('a trace whose engine is busy for long is loaded a second time if a thread is free', async () => {
  await using worker = await sharingWorker({
    resultMemoryBytesMax: 0,
    threads: 2,
    longTaskMs: NEVER,
  });
  await runScript(worker, COMPILE, 'SELECT 1');
  const endless = worker.client.run({
    sql: 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n',
  });
  endless.add(COMPILE);
  await until(async () => (await worker.client.status()).tasksRunning > 0);
  const sched = 'SELECT count(*) FROM sched';
  const both = [runScript(worker, COMPILE, sched), runScript(worker, COMPILE, sched)];
  const tiers = (await Promise.all(both)).map(([count, tier]) => {
    expect(count).toBe(3321n);
    return tier;
  });
  expect(tiers.sort()).toEqual(['loaded', 'parse']); // one loads it again, the other shares the engine
  endless.call.cancel();
});
