import { expect, test } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { QueryResponse } from '../../lib/proto/messages.ts';
import { placementSeed, preferredWorker } from '../dispatch/placement.ts';
import { traceDigest } from '../query/trace-set.ts';
import { returnRows, type Script, type StubWorker } from '../testing/stub-worker.ts';
import { gather, type QueryCall, rowsOf, SOON, TestSystem } from '../testing/system.ts';

const traces = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `/local/t${at}`);
const expectedRows = (list: string[]): string[] =>
  list.map((one) => `${one}: rows of ${one}`).sort();

const portOf = (worker: StubWorker | undefined): number => Number(worker?.address.split(':')[1]);

/** Resolves when `count` results have been received. */
function resultsOf(call: QueryCall, count: number): Promise<void> {
  let seen = 0;
  return new Promise((resolve) => {
    call.on('data', ({ event }: QueryResponse) => {
      seen += event.filter(({ rows }) => rows).length;
      if (seen >= count) resolve();
    });
  });
}

/** Returns the worker that `trace` is assigned to, and then the other one. */
function holder(system: TestSystem, trace: string): [StubWorker, StubWorker] {
  const [a, b] = system.workers;
  if (a === undefined || b === undefined) throw new Error('two workers are needed');
  return a.seen.includes(trace) ? [a, b] : [b, a];
}

test('the tasks of a killed worker are retried on another worker', async () => {
  const hang: Script = () => undefined;
  await using system = await new TestSystem([{}, { script: hang, window: 8 }]).start();
  const [good, bad] = system.workers;
  const running = system.query(traces(100));
  await expect.poll(() => bad?.seen.length, SOON).toBe(8);
  bad?.kill();
  expect(rowsOf(await running)).toEqual(expectedRows(traces(100)));
  expect([...new Set(good?.seen)]).toHaveLength(100);
});

test('a trace that a lost worker was parsing is retried alone, and its other traces are not', async () => {
  let goOn = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const script: Script = async (task) => {
    if (task.trace === '/local/t0') task.state('PARSING');
    await released;
    void returnRows(task);
  };
  await using system = await new TestSystem([
    { script, window: 64 },
    { script, window: 64 },
  ]).start();
  const call = system.begin(traces(64), { progressIntervalMs: 10 });
  const parsing = new Promise<void>((resolve) => {
    call.on('data', ({ event }: QueryResponse) => {
      if (event.some(({ progress }) => progress?.running?.length)) resolve();
    });
  });
  const events = gather(call);
  await parsing;
  const [lost, other] = holder(system, '/local/t0');
  expect(lost.seen.length).toBeGreaterThan(1);
  lost.kill();
  goOn();
  expect(rowsOf(await events)).toEqual(expectedRows(traces(64)));
  expect([...lost.alone, ...other.alone]).toEqual(['/local/t0']);
});

test('no row is lost or duplicated when a worker dies in the middle of a result', async () => {
  let dies = true;
  const script: Script = async ({ trace, rows, cancelled }) => {
    rows(`one of ${trace} `, false);
    rows(`two of ${trace}`, false);
    if (dies) await cancelled;
    rows(`three of ${trace}`, true);
  };
  await using system = await new TestSystem([{ script }, { script }]).start();
  const call = system.begin(['/local/a']);
  const came = resultsOf(call, 2);
  const events = gather(call);
  await came;
  dies = false;
  const [first, second] = holder(system, '/local/a');
  first.kill();
  const results = (await events).flatMap(({ rows }) => rows ?? []);
  expect(results.map(({ result, last }) => `${result} ${last}`)).toEqual([
    'one of /local/a  false',
    'two of /local/a false',
    'three of /local/a true',
  ]);
  expect(second.seen).toEqual(['/local/a']);
});

test.each([
  ['other bytes', ['one', 'TWO', 'three']],
  ['fewer chunks', ['one', 'two']],
])('a retry with another result than before ends with trace_changed: %s', async (_, again) => {
  let dies = true;
  const script: Script = async ({ rows, cancelled }) => {
    const chunks = dies ? ['one', 'two'] : again;
    chunks.forEach((chunk, at) => {
      rows(chunk, !dies && at === chunks.length - 1);
    });
    if (dies) await cancelled;
  };
  await using system = await new TestSystem([{ script }, { script }]).start();
  const call = system.begin(['/local/a']);
  const came = resultsOf(call, 2);
  const events = gather(call);
  await came;
  dies = false;
  holder(system, '/local/a')[0].kill();
  await expect(events).rejects.toMatchObject({
    code: 'trace_changed',
    message:
      '[/local/a]: the trace returned other rows when the task was retried after its worker was lost (after 2 chunks of its result)',
  });
});

test('a trace that crashes engines twice is reported as failed', async () => {
  const script: Script = (task) =>
    task.trace === '/local/t5' ? task.fail('engine_crashed', 'unreachable') : returnRows(task);
  await using system = await new TestSystem([{ script }, { script }, { script }]).start();
  await expect(system.query(traces(9))).rejects.toMatchObject({
    code: 'engine_crashed',
    message: '[/local/t5]: unreachable (tried 2 times)',
  });
  const events = await system.query(traces(9), { onFailure: 'LENIENT' });
  expect(rowsOf(events)).toHaveLength(8);
  expect(events.flatMap(({ failure }) => failure?.attempts ?? [])).toEqual([2]);
});

test('an invalid trace is not retried, and a trace that its store failed to deliver is', async () => {
  const script: Script = (task) => {
    if (task.trace === '/local/bad') task.fail('trace_invalid', 'not a trace');
    else if (task.trace === '/local/flaky' && failing-- > 0)
      task.fail('store_failed', 'status 503');
    else void returnRows(task);
  };
  let failing = 2;
  await using system = await new TestSystem([{ script }, { script }, { script }]).start();
  const events = await system.query(['/local/bad', '/local/flaky'], { onFailure: 'LENIENT' });
  expect(rowsOf(events)).toEqual(expectedRows(['/local/flaky']));
  const running = system.workers.flatMap(({ seen }) => seen).sort();
  expect(running).toEqual(['/local/bad', '/local/flaky', '/local/flaky', '/local/flaky']);
  expect(system.workers.every(({ seen }) => seen.includes('/local/flaky'))).toBe(true);
});

test('a worker that drains returns the tasks it has not begun, and is assigned no more', async () => {
  const returns: Script = (task) => (drained?.draining ? task.returned() : returnRows(task));
  let drained: StubWorker | undefined;
  await using system = await new TestSystem([{ script: returns }, {}]).start();
  [drained] = system.workers;
  drained?.drain();
  expect(rowsOf(await system.query(traces(200)))).toEqual(expectedRows(traces(200)));
  const seen = drained?.seen.length ?? 0;
  await expect.poll(async () => (await system.status()).worker[0]?.state, SOON).toBe('draining');
  expect(rowsOf(await system.query(traces(50)))).toEqual(expectedRows(traces(50)));
  expect(drained?.seen.length).toBe(seen);
});

test('tasks of a stream that ends with draining are retried on another worker', async () => {
  await using system = await new TestSystem([{ script: () => undefined }, {}]).start();
  const running = system.query(traces(40));
  await expect.poll(() => system.workers[0]?.seen.length, SOON).toBe(4);
  system.workers[0]?.failStreams(new BigtraceError('draining', 'worker is shutting down'));
  expect(rowsOf(await running)).toEqual(expectedRows(traces(40)));
});

test('the tasks of a worker that hangs are retried on another worker', async () => {
  await using system = await new TestSystem([{}, { script: () => undefined }], {
    workerTimeoutMs: 300,
  }).start();
  const running = system.query(traces(60));
  await expect.poll(() => system.workers[1]?.seen.length, SOON).toBe(4);
  system.workers[1]?.freeze();
  expect(rowsOf(await running)).toEqual(expectedRows(traces(60)));
});

test('workers that vanish before the orchestrator notices use up no attempts', async () => {
  const options = Array.from({ length: 6 }, (_, at) => ({
    firstCredits: 4,
    cacheId: `cache ${at}`,
  }));
  await using system = await new TestSystem(options, { workerTimeoutMs: 10_000 }).start();
  const places = options.map(({ cacheId }, at) => ({ seed: placementSeed(cacheId), load: 0, at }));
  // The trace ranks the only worker that survives last.
  const last = (trace: string): boolean => {
    let left = places;
    while (left.length > 1) {
      const home = preferredWorker(traceDigest(Buffer.from(trace)), left);
      left = left.filter((one) => one !== home);
    }
    return left[0]?.at === 0;
  };
  const trace = traces(100).find(last) ?? '';
  for (const worker of system.workers.slice(1)) worker.kill();
  const events = await system.query([trace]);
  expect(rowsOf(events)).toEqual(expectedRows([trace]));
});

test('a pattern is listed by the only worker that survives', async () => {
  const list = (): string[] => ['/local/a'];
  await using system = await new TestSystem(Array(6).fill({ list })).start();
  for (const worker of system.workers.slice(0, -1)) worker.kill();
  expect(await system.list('/local/*')).toEqual(['/local/a']);
});

test('a pattern is listed again when the worker that lists it dies', async () => {
  let asked = 0;
  const list = (): string[] | undefined => (++asked === 1 ? undefined : ['/local/a']);
  await using system = await new TestSystem([{ list }, { list }]).start();
  const listing = system.list('/local/*');
  await expect.poll(() => asked, SOON).toBe(1);
  system.workers.find(({ listed }) => listed > 0)?.kill();
  expect(await listing).toEqual(['/local/a']);
});

test('a worker that reports draining on one stream is used by no query', async () => {
  const hang: Script = () => undefined;
  await using system = await new TestSystem([{ script: hang, firstCredits: 4 }, {}]).start();
  const [drained] = system.workers;
  const running = system.query(traces(40));
  await expect.poll(() => drained?.seen.length, SOON).toBeGreaterThan(3);
  if (drained) drained.draining = true;
  drained?.failStreams(new BigtraceError('draining', 'worker is shutting down'));
  await running;
  const later = traces(40).map((trace) => `${trace}-later`);
  await system.query(later);
  expect(drained?.seen.filter((trace) => later.includes(trace))).toEqual([]);
});

test('a query continues when the only worker dies and comes back', async () => {
  let dies = true;
  const script: Script = (task) => (dies ? undefined : returnRows(task));
  await using system = await new TestSystem([{ script }], { workerWaitMs: 5000 }).start();
  const running = system.query(traces(10));
  const [worker] = system.workers;
  await expect.poll(() => worker?.seen.length, SOON).toBe(4);
  worker?.kill();
  dies = false;
  await worker?.start(portOf(worker));
  expect(rowsOf(await running)).toEqual(expectedRows(traces(10)));
});

test('a worker that refuses streams uses up no attempts while the query waits for workers', async () => {
  await using system = await new TestSystem([{ firstCredits: 4 }], {
    workerWaitMs: 30_000,
  }).start();
  const [worker] = system.workers;
  if (worker !== undefined) worker.refusals = 3;
  expect(rowsOf(await system.query(traces(4)))).toEqual(expectedRows(traces(4)));
  expect(worker?.refusals).toBeLessThan(0);
});

test('a worker that refuses all streams ends the query after the worker wait', async () => {
  await using system = await new TestSystem([{ firstCredits: 4 }], { workerWaitMs: 200 }).start();
  const [worker] = system.workers;
  if (worker !== undefined) worker.refusals = Number.POSITIVE_INFINITY;
  await expect(system.query(traces(1))).rejects.toMatchObject({
    code: 'worker_lost',
    message: expect.stringContaining('was lost: the worker is leaving (tried 3 times)'),
  });
});

test('a listing that the only worker refuses is tried again after a pause, within the worker wait', async () => {
  const list = (): string[] => ['/local/a'];
  await using system = await new TestSystem([{ list }], { workerWaitMs: 1000 }).start();
  const [worker] = system.workers;
  if (worker === undefined) throw new Error('no worker');
  worker.refusals = 2;
  expect(await system.list('/local/*')).toEqual(['/local/a']);
  worker.refusals = Number.POSITIVE_INFINITY;
  worker.listed = 0;
  await expect(system.list('/local/*')).rejects.toMatchObject({ code: 'worker_lost' });
  expect(worker.listed).toBeLessThan(16);
});

test('a query fails with no_workers within the worker wait when all workers die', async () => {
  const options = { script: () => undefined };
  await using system = await new TestSystem([options, options], { workerWaitMs: 500 }).start();
  const running = system.query(traces(10));
  await expect.poll(() => system.workers.every(({ seen }) => seen.length > 0), SOON).toBe(true);
  for (const worker of system.workers) worker.kill();
  await expect(running).rejects.toMatchObject({ code: 'no_workers' });
});
