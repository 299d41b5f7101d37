import { expect, test } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { QueryResponse } from '../../lib/proto/messages.ts';
import { placementSeed, preferredWorker } from '../dispatch/placement.ts';
import { traceDigest } from '../query/trace-set.ts';
import { answer, type Script, type StubWorker } from '../testing/stub-worker.ts';
import { gather, type QueryCall, rowsOf, SOON, TestSystem } from '../testing/system.ts';

const traces = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `/local/t${at}`);
const answersOf = (list: string[]): string[] => list.map((one) => `${one}: rows of ${one}`).sort();

const portOf = (worker: StubWorker | undefined): number => Number(worker?.address.split(':')[1]);

/** Resolves once so many results have come. */
function resultsOf(call: QueryCall, count: number): Promise<void> {
  let seen = 0;
  return new Promise((resolve) => {
    call.on('data', ({ event }: QueryResponse) => {
      seen += event.filter(({ rows }) => rows).length;
      if (seen >= count) resolve();
    });
  });
}

/** The worker that has `trace`, and another one. */
function holder(system: TestSystem, trace: string): [StubWorker, StubWorker] {
  const [a, b] = system.workers;
  if (a === undefined || b === undefined) throw new Error('two workers are needed');
  return a.seen.includes(trace) ? [a, b] : [b, a];
}

test('what a killed worker had is asked again elsewhere', async () => {
  const hang: Script = () => undefined;
  await using system = await new TestSystem([{}, { script: hang, window: 8 }]).start();
  const [good, bad] = system.workers;
  const asked = system.query(traces(100));
  await expect.poll(() => bad?.seen.length, SOON).toBe(8);
  bad?.kill();
  expect(rowsOf(await asked)).toEqual(answersOf(traces(100)));
  expect([...new Set(good?.seen)]).toHaveLength(100);
});

test('a worker that dies in mid-trace: no row is lost, none comes twice', async () => {
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
])('an answer that differs when it is asked again is an error: %s', async (_, again) => {
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
      '[/local/a]: trace answered differently when it was asked again after its worker was lost (after 2 of its results were passed on)',
  });
});

test('a trace that kills engines twice is reported', async () => {
  const script: Script = (task) =>
    task.trace === '/local/t5' ? task.fail('engine_crashed', 'unreachable') : answer(task);
  await using system = await new TestSystem([{ script }, { script }, { script }]).start();
  await expect(system.query(traces(9))).rejects.toMatchObject({
    code: 'engine_crashed',
    message: '[/local/t5]: unreachable (tried 2 times)',
  });
  const events = await system.query(traces(9), { onFailure: 'LENIENT' });
  expect(rowsOf(events)).toHaveLength(8);
  expect(events.flatMap(({ failure }) => failure?.attempts ?? [])).toEqual([2]);
});

test('a bad trace is not tried again, one that a store did not give is', async () => {
  const script: Script = (task) => {
    if (task.trace === '/local/bad') task.fail('trace_invalid', 'not a trace');
    else if (task.trace === '/local/flaky' && failing-- > 0)
      task.fail('store_failed', 'status 503');
    else void answer(task);
  };
  let failing = 2;
  await using system = await new TestSystem([{ script }, { script }, { script }]).start();
  const events = await system.query(['/local/bad', '/local/flaky'], { onFailure: 'LENIENT' });
  expect(rowsOf(events)).toEqual(answersOf(['/local/flaky']));
  const asked = system.workers.flatMap(({ seen }) => seen).sort();
  expect(asked).toEqual(['/local/bad', '/local/flaky', '/local/flaky', '/local/flaky']);
  expect(system.workers.every(({ seen }) => seen.includes('/local/flaky'))).toBe(true);
});

test('a worker that drains gives back what it did not begin, and gets nothing more', async () => {
  const returns: Script = (task) => (drained?.draining ? task.returned() : answer(task));
  let drained: StubWorker | undefined;
  await using system = await new TestSystem([{ script: returns }, {}]).start();
  [drained] = system.workers;
  drained?.drain();
  expect(rowsOf(await system.query(traces(200)))).toEqual(answersOf(traces(200)));
  const seen = drained?.seen.length ?? 0;
  await expect.poll(async () => (await system.status()).worker[0]?.state, SOON).toBe('draining');
  expect(rowsOf(await system.query(traces(50)))).toEqual(answersOf(traces(50)));
  expect(drained?.seen.length).toBe(seen);
});

test('a stream that ends with draining: the rest is asked elsewhere', async () => {
  await using system = await new TestSystem([{ script: () => undefined }, {}]).start();
  const asked = system.query(traces(40));
  await expect.poll(() => system.workers[0]?.seen.length, SOON).toBe(4);
  system.workers[0]?.failStreams(new BigtraceError('draining', 'worker is shutting down'));
  expect(rowsOf(await asked)).toEqual(answersOf(traces(40)));
});

test('a worker that hangs loses its traces', async () => {
  await using system = await new TestSystem([{}, { script: () => undefined }], {
    workerTimeoutMs: 300,
  }).start();
  const asked = system.query(traces(60));
  await expect.poll(() => system.workers[1]?.seen.length, SOON).toBe(4);
  system.workers[1]?.freeze();
  expect(rowsOf(await asked)).toEqual(answersOf(traces(60)));
});

test('many workers go away at once, and nobody knows yet: no attempt is used up', async () => {
  const options = Array.from({ length: 6 }, (_, at) => ({
    firstCredits: 4,
    cacheId: `cache ${at}`,
  }));
  await using system = await new TestSystem(options, { workerTimeoutMs: 10_000 }).start();
  const places = options.map(({ cacheId }, at) => ({ seed: placementSeed(cacheId), load: 0, at }));
  // The worker that is left is the last one that this trace is placed on.
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
  expect(rowsOf(events)).toEqual(answersOf([trace]));
});

test('a pattern is listed by the worker that is left', async () => {
  const list = (): string[] => ['/local/a'];
  await using system = await new TestSystem(Array(6).fill({ list })).start();
  for (const worker of system.workers.slice(0, -1)) worker.kill();
  expect(await system.list('/local/*')).toEqual(['/local/a']);
});

test('a stream that says that its worker drains says so to all queries', async () => {
  const hang: Script = () => undefined;
  await using system = await new TestSystem([{ script: hang, firstCredits: 4 }, {}]).start();
  const [drained] = system.workers;
  const asked = system.query(traces(40));
  await expect.poll(() => drained?.seen.length, SOON).toBeGreaterThan(3);
  const seen = drained?.seen.length;
  if (drained) drained.draining = true;
  drained?.failStreams(new BigtraceError('draining', 'worker is shutting down'));
  await asked;
  await system.query(traces(40));
  expect(drained?.seen.length).toBe(seen);
});

test('the only worker dies and comes back: the query goes on', async () => {
  let dies = true;
  const script: Script = (task) => (dies ? undefined : answer(task));
  await using system = await new TestSystem([{ script }], { workerWaitMs: 5000 }).start();
  const asked = system.query(traces(10));
  const [worker] = system.workers;
  await expect.poll(() => worker?.seen.length, SOON).toBe(4);
  worker?.kill();
  dies = false;
  await worker?.start(portOf(worker));
  expect(rowsOf(await asked)).toEqual(answersOf(traces(10)));
});

test('all workers die: an error that says so, soon', async () => {
  const options = { script: () => undefined };
  await using system = await new TestSystem([options, options], { workerWaitMs: 500 }).start();
  const asked = system.query(traces(10));
  await expect.poll(() => system.workers.every(({ seen }) => seen.length > 0), SOON).toBe(true);
  for (const worker of system.workers) worker.kill();
  await expect(asked).rejects.toMatchObject({ code: 'no_workers' });
});
