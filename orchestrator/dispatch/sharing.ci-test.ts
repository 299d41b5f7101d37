/** Tests of stealing, hedging, fairness between queries, and workers that join and leave. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { returnRows, type Script } from '../testing/stub-worker.ts';
import { gather, rowsOf, SOON, TestSystem } from '../testing/system.ts';

const traces = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `/local/t${at}`);
const expectedRows = (list: string[]): string[] =>
  list.map((one) => `${one}: rows of ${one}`).sort();

/** Takes `ms` for a trace that this worker has not parsed before, and no time otherwise. */
function parsing(ms: number): Script {
  const loaded = new Set<string>();
  return async ({ trace, rows }) => {
    const tier = loaded.has(trace) ? 'loaded' : 'parse';
    loaded.add(trace);
    if (tier === 'parse') await sleep(ms);
    rows(`rows of ${trace}`, true, { tier, loadMs: tier === 'parse' ? ms : 0, queryMs: 1 });
  };
}

test('an idle worker steals the tasks that a slow worker has not begun, including assigned ones', async () => {
  const slow: Script = async (task) => {
    while ((system.workers[1]?.seen.length ?? 0) < 17) await sleep(5);
    await returnRows(task);
  };
  await using system = await new TestSystem([
    { script: slow, concurrency: 1, window: 8 },
    { script: parsing(10), concurrency: 1, window: 2 },
  ]).start();
  expect(rowsOf(await system.query(traces(20)))).toEqual(expectedRows(traces(20)));
  expect(system.workers[0]?.seen.length).toBeLessThanOrEqual(3);
  expect((await system.status()).counters['steals']).toBeGreaterThan(4);
});

test('a later query assigns a stolen trace to the worker that stole it and has it loaded', async () => {
  const workers = Array.from({ length: 2 }, () => ({
    ...{ script: parsing(100), concurrency: 1, window: 2 },
  }));
  await using system = await new TestSystem(workers).start();
  const list = traces(15);
  await system.query(list);
  const first = system.workers.map(({ seen }) => new Set(seen));
  await system.query(list);
  expect(system.workers.map(({ seen }) => new Set(seen))).toEqual(first);
});

test('workers share a trace whose queries wait for longer than loading it takes', async () => {
  const held: (() => void)[] = [];
  const isHot = (trace: string): boolean => trace === '/local/hot';
  const script: Script = async ({ trace, rows, state, returned }) => {
    if (!isHot(trace)) return rows('rows', true, { tier: 'parse', loadMs: 10 });
    if (system.workers.filter(({ seen }) => seen.some(isHot)).length === 1) {
      state('QUEUED');
      await sleep(200); // the orchestrator asks for the task in this time, or in the next one
      return returned();
    }
    await new Promise<void>((resolve) => held.push(resolve));
    rows(`rows of ${trace}`, true);
  };
  await using system = await new TestSystem([{ script }, { script }]).start();
  await system.query(['/local/measured']);
  const begin = (): Promise<unknown> => gather(system.begin(['/local/hot']));
  const counts = (): number[] => system.workers.map(({ seen }) => seen.filter(isHot).length);
  const release = (): void => {
    for (const resolve of held.splice(0)) resolve();
  };
  const waited = begin();
  await expect.poll(() => held.length, SOON).toBe(1);
  release();
  await waited;
  const before = counts();
  const four: Promise<unknown>[] = [];
  for (let n = 1; n <= 4; n++) {
    four.push(begin());
    await expect.poll(() => held.length, SOON).toBe(n);
  }
  expect(counts()).toEqual(before.map((count) => count + 2));
  release();
  await Promise.all(four);
});

test('traces are placed by the worker’s cache ID, so they follow its snapshots to another address', async () => {
  const list = traces(40);
  const seenBy = async (names: string[]): Promise<Record<string, string[]>> => {
    const workers = names.map((cacheId) => ({ cacheId, window: 100 }));
    await using system = await new TestSystem(workers).start();
    await system.query(list);
    return Object.fromEntries(
      names.map((name, at) => [name, system.workers[at]?.seen.sort() ?? []]),
    );
  };
  const before = await seenBy(['one', 'other']);
  expect(before['one']?.length).toBeGreaterThan(5);
  expect(await seenBy(['other', 'one'])).toEqual(before);
});

test('a task of a silent worker is hedged on an idle worker, and its rows are returned once', async () => {
  let first = true;
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const script: Script = async (task) => {
    if (task.trace === '/local/t3' && first) {
      first = false;
      await held;
    }
    await returnRows(task);
  };
  await using system = await new TestSystem([{ script }, { script }], {
    hedgeAfterMs: 600,
  }).start();
  const begun = performance.now();
  expect(rowsOf(await system.query(traces(8)))).toEqual(expectedRows(traces(8)));
  // The task is cancelled on the slower worker.
  await expect
    .poll(() => system.workers.flatMap(({ cancelledTraces }) => cancelledTraces), SOON)
    .toEqual(['/local/t3']);
  goOn();
  expect(performance.now() - begun).toBeGreaterThan(500);
  expect(system.workers.map(({ seen }) => seen.includes('/local/t3'))).toEqual([true, true]);
  expect((await system.status()).counters).toMatchObject({ hedges: 1, traces_done: 8 });
});

test('a task whose worker reports that it parses the trace is not hedged', async () => {
  const stop = new AbortController();
  const script: Script = async (task) => {
    const { trace, state } = task;
    if (!trace.includes('endless')) return returnRows(task);
    state('PARSING');
    const reporting = setInterval(() => state('PARSING'), 200);
    stop.signal.addEventListener('abort', () => clearInterval(reporting));
  };
  await using system = await new TestSystem([{ script }, { script }], { hedgeAfterMs: 1 }).start();
  const call = system.begin(['/local/endless', '/local/a'], { queryId: 'long' });
  const long = expect(gather(call)).rejects.toMatchObject({ code: 'cancelled' });
  await sleep(5000); // longer than the 3 s after which a worker counts as silent
  expect(system.workers.flatMap(({ seen }) => seen).sort()).toEqual(['/local/a', '/local/endless']);
  expect((await system.status()).counters['hedges']).toBe(0);
  await system.cancel('long');
  await long;
  stop.abort();
});

test('a query of one trace does not wait for a query of ten thousand traces', async () => {
  const script: Script = async (task) => {
    await sleep(5);
    await returnRows(task);
  };
  await using system = await new TestSystem([
    { script, window: 2 },
    { script, window: 2 },
  ]).start();
  const long = gather(system.begin(traces(10_000), { queryId: 'long' }));
  const cancelled = expect(long).rejects.toMatchObject({ code: 'cancelled' });
  await expect.poll(() => system.workers[0]?.seen.length, SOON).toBeGreaterThan(10);
  await system.query(['/local/one']);
  const seen = system.workers.reduce((sum, worker) => sum + worker.seen.length, 0);
  expect(seen).toBeLessThan(5000);
  await system.cancel('long');
  await cancelled;
});

test('a running query uses workers that join and assigns nothing to workers that left', async () => {
  const script: Script = async (task) => {
    await sleep(10);
    await returnRows(task);
  };
  const options = { script, window: 2 };
  let named: string[] = [];
  await using system = await new TestSystem([options, options, options], {
    workers: ['dns:///workers.test:5052'],
    resolve: async () => named,
  }).startWith((addresses) => {
    named = addresses.slice(0, 1);
  });
  const running = system.query(traces(400));
  const [first, second, third] = system.workers;
  await expect.poll(() => first?.seen.length, SOON).toBeGreaterThan(5);
  named = [first?.address ?? '', second?.address ?? ''];
  await expect.poll(() => second?.seen.length, SOON).toBeGreaterThan(5);
  named = [second?.address ?? '', third?.address ?? ''];
  await expect.poll(() => third?.seen.length, SOON).toBeGreaterThan(5);
  const seenBefore = first?.seen.length ?? 0;
  expect(rowsOf(await running)).toEqual(expectedRows(traces(400)));
  expect(first?.seen.length).toBeLessThanOrEqual(seenBefore + 2);
});
