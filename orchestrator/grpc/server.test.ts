import { expect, test } from 'vitest';
import type { QueryResponse, RunningTrace } from '../../lib/proto/messages.ts';
import { returnRows, type Script } from '../testing/stub-worker.ts';
import { gather, SOON, TestSystem } from '../testing/system.ts';

const traces = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `/local/t${at}`);
const failing: Script = (task) =>
  task.trace === '/local/t1' ? task.fail('trace_invalid', 'not a trace') : returnRows(task);
const hang: Script = () => undefined;

test('Failures returns the failures of traces and of whole queries after the queries have ended', async () => {
  await using system = await new TestSystem([{ script: failing }]).start();
  await system.query(traces(3), { queryId: 'a', user: 'ann', onFailure: 'LENIENT' });
  await system.query(traces(3), { queryId: 'b' }).catch(() => undefined);
  await system.query(['/local/*'], { queryId: 'c' }).catch(() => undefined);
  await system.query([], { queryId: 'd' }).catch(() => undefined);
  await system.schema(traces(3), { queryId: 'e' }).catch(() => undefined);
  const all = await system.failures();
  expect(
    all.map((one) => `${one.queryId} ${one.user} ${one.trace} ${one.code} ${one.attempts}`),
  ).toEqual([
    'e address:127.0.0.1 /local/t1 trace_invalid 0',
    'd address:127.0.0.1  no_traces 0',
    'c address:127.0.0.1 /local/* no_match 0',
    'b address:127.0.0.1 /local/t1 trace_invalid 1',
    'a ann /local/t1 trace_invalid 1',
  ]);
  expect(Math.abs((all[0]?.timeMs ?? 0) - Date.now())).toBeLessThan(60_000);
  expect((await system.failures('b')).map(({ message }) => message)).toEqual(['not a trace']);
  expect(await system.failures('none')).toEqual([]);
  expect(await system.failures('', 2)).toHaveLength(2);
});

test('Failures names the traces of a query, not those of a sample, if column finding fails', async () => {
  const hasColumns: Script = ({ trace, types, fail }) =>
    trace === '/local/t4' ? types({ a: 4 }) : fail('sql_failed', 'no such\n  table: x');
  await using system = await new TestSystem([{ script: hasColumns }]).start();
  const lenient = { onFailure: 'LENIENT' } as const;
  await system.schema(traces(5), { queryId: 'some', ...lenient });
  expect(await system.failures('some')).toEqual([]);
  const list = ['/local/b', ...traces(4)];
  await expect(system.schema(list, { queryId: 'all', ...lenient })).rejects.toThrow();
  expect((await system.failures('all')).map(({ code, message }) => [code, message])).toEqual([
    ['all_failed', expect.stringMatching(/^all 5 traces failed: .*: no such\n {2}table: x$/s)],
  ]);
});

test('Status returns counters, gauges and running queries, and Cancel ends a query by its id', async () => {
  await using system = await new TestSystem([{ script: hang, window: 4 }]).start();
  const query = gather(system.begin(traces(10), { queryId: 'slow', user: 'bob' }));
  const pending = expect(query).rejects.toMatchObject({
    code: 'cancelled',
    message: 'query slow was cancelled',
  });
  await expect.poll(() => system.workers[0]?.seen.length, SOON).toBe(4);
  const status = await system.status();
  expect(status.query).toEqual([
    {
      ...{ queryId: 'slow', user: 'bob', startedMs: expect.any(Number) },
      ...{ sql: Buffer.from('SELECT name FROM slice'), mode: 'ROWS' },
      progress: expect.objectContaining({ tracesTotal: 10, totalIsFinal: true, tracesDone: 0 }),
    },
  ]);
  expect(status.gauges).toEqual({
    ...{ queries_running: 1, calls_for_workers: 1, traces_waiting: 6, traces_in_flight: 4 },
    trace_bytes_unfinished: 0, // their sizes are not known
    ...{ workers_ready: 1, workers_known: 1 },
  });
  expect(await system.progress('slow')).toMatchObject({ progress: { tracesTotal: 10 } });
  expect(await system.progress('other')).toEqual({ progress: null });
  expect(await system.cancel('other')).toEqual({ cancelled: 0 });
  expect(await system.cancel('slow')).toEqual({ cancelled: 1 });
  await pending;
  expect(await system.progress('slow')).toMatchObject({ progress: { tracesTotal: 10 } });
  await expect.poll(() => system.workers[0]?.streams, SOON).toBe(0);
  expect((await system.status()).counters).toMatchObject({ queries: 1, queries_failed: 1 });
});

test('the counters count queries, traces, rows and bytes', async () => {
  const script: Script = ({ rows }) => rows('four', true, { rows: 3, traceBytes: 10 });
  await using system = await new TestSystem([{ script }, { script }]).start();
  await system.query(traces(5));
  expect((await system.status()).counters).toMatchObject({
    ...{ queries: 1, queries_failed: 0, schemas: 0, traces_done: 5, traces_failed: 0 },
    ...{ rows: 15, result_bytes: 20, trace_bytes: 50, streams_broken: 0 },
  });
});

test('List returns each trace once, and fails with no_match when no pattern matches', async () => {
  const list = (pattern: string): string[] => (pattern === '/local/*' ? traces(3) : []);
  await using system = await new TestSystem([{ list }]).start();
  expect(await system.list('/local/*', '/local/*')).toEqual(traces(3));
  await expect(system.list('/local/?')).rejects.toMatchObject({
    code: 'no_match',
    message: '[/local/?]: the pattern matches no trace',
  });
});

test('an orchestrator that drains finishes running queries and refuses new ones', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const script: Script = async (task) => {
    await held;
    await returnRows(task);
  };
  await using system = await new TestSystem([{ script }], { drainTimeoutMs: 20_000 }).start();
  const pending = system.query(traces(4));
  await expect.poll(() => system.workers[0]?.seen.length, SOON).toBe(4);
  const drained = system.orchestrator?.drain();
  await expect(system.query(traces(1))).rejects.toMatchObject({ code: 'draining' });
  release();
  expect(await pending).toHaveLength(4);
  await drained;
});

test('queries that outlast the drain timeout fail with draining', async () => {
  await using system = await new TestSystem([{ script: hang }], { drainTimeoutMs: 100 }).start();
  const pending = expect(system.query(traces(4))).rejects.toMatchObject({
    code: 'draining',
    message: 'the orchestrator is shutting down',
  });
  await expect.poll(() => system.workers[0]?.seen.length, SOON).toBe(4);
  await system.orchestrator?.drain();
  await pending;
});

test('a query above the bound on running queries is refused', async () => {
  await using system = await new TestSystem([{ script: hang }], { queriesMax: 1 }).start();
  const query = gather(system.begin(traces(4), { queryId: 'first' }));
  const pending = expect(query).rejects.toMatchObject({ code: 'cancelled' });
  await expect.poll(() => system.workers[0]?.seen.length, SOON).toBe(4);
  await expect(system.query(traces(1))).rejects.toMatchObject({
    code: 'too_many_queries',
    message: 'too many queries: 1 are running (--max-queries 1); try again when one has ended',
  });
  await system.cancel('first');
  await pending;
});

test('names of users and query IDs have a bound, because they are kept after the query', async () => {
  await using system = await new TestSystem([{ script: returnRows }]).start();
  const long = 'x'.repeat(1025);
  const tooLong = { code: 'limit_exceeded' };
  await expect(system.query(traces(1), { queryId: long })).rejects.toMatchObject({
    ...tooLong,
    message: 'the query ID is 1025 characters long, the bound is 1024',
  });
  await expect(system.query(traces(1), { user: long })).rejects.toMatchObject(tooLong);
  await expect(system.schema(traces(1), { queryId: long })).rejects.toMatchObject(tooLong);
  await expect(system.schema(traces(1), { user: long })).rejects.toMatchObject(tooLong);
  await system.query(traces(1), { queryId: 'x'.repeat(1024), user: 'x'.repeat(1024) });
});

test('Unbar lifts bars on every worker and names the workers that do not respond', async () => {
  await using system = await new TestSystem([{}, {}]).start();
  const trace = [Buffer.from('/local/a')];
  expect(await system.unbar({ trace, all: false })).toEqual({ lifted: 2, unreached: [] });
  const [lost] = system.workers;
  lost?.kill();
  const unreached = [lost?.address];
  expect(await system.unbar({ trace: [], all: true })).toEqual({ lifted: 7, unreached });
  await expect(system.unbar({ trace, all: true })).rejects.toMatchObject({
    code: 'invalid_option',
  });
  await expect(system.unbar({ trace: [], all: false })).rejects.toMatchObject({
    message: 'the request names no trace; set trace or all',
  });
});

test('status and progress report the running traces with their phase and time', async () => {
  const script: Script = (task) => {
    if (task.trace.includes('long')) task.state('PARSING');
    else void returnRows(task);
  };
  await using system = await new TestSystem([{ script }]).start();
  const call = system.begin(['/local/long', '/local/a'], {
    queryId: 'q',
    user: 'alice',
    progressIntervalMs: 10,
  });
  const seen = new Promise<RunningTrace>((resolve) => {
    call.on('data', ({ event }: QueryResponse) => {
      for (const { progress } of event) if (progress?.running?.[0]) resolve(progress.running[0]);
    });
  });
  call.on('error', () => undefined);
  const expected = {
    ...{ trace: Buffer.from('/local/long'), phase: 'PARSING', queryId: 'q', user: 'alice' },
    ...{ worker: system.workers[0]?.address, mode: 'ROWS' },
  };
  expect(await seen).toMatchObject(expected);
  const { query } = await system.status();
  expect(query[0]?.progress?.running).toMatchObject([expected]);
  await system.cancel('q');
});

test('a query of upstream’s service without SQL is refused', async () => {
  await using system = await new TestSystem([{}]).start();
  await expect(system.upstream(['/local/a'], '')).rejects.toMatchObject({ code: 'no_sql' });
});
