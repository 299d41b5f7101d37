/** Fleets whose workers have different engines: a query uses one of them. */
import { expect, test } from 'vitest';
import type { Script, StubOptions } from '../testing/stub-worker.ts';
import { gather, rowsOf, SOON, TestSystem } from '../testing/system.ts';

const V52 = 'Perfetto v52.0-aaaa digest';
const V55 = 'Perfetto v55.3-bbbb digest';
const TRACES = Array.from({ length: 40 }, (_, at) => `/local/t${at}`);

/** A worker whose rows say which engine they are from. */
function workerWith(engine: string, more: StubOptions = {}): StubOptions {
  const script: Script = ({ start, rows, types }) =>
    start.mode === 'TYPES' ? types({ [engine.slice(9, 12)]: 4 }) : rows(engine.slice(9, 12), true);
  return { engine, script, window: 64, ...more };
}

function enginesOf(rows: string[]): string[] {
  return [...new Set(rows.map((row) => row.slice(row.indexOf(' ') + 1)))];
}

const named = (name: string): { sql: Buffer } => ({
  sql: Buffer.from(`/*bigtrace: engine=${name} */ SELECT 1`),
});

test('a query uses the engine that its script names, else the one that most workers have', async () => {
  await using system = await new TestSystem([
    workerWith(V52),
    workerWith(V55),
    workerWith(V52),
  ]).start();
  const rows = async (start = {}): Promise<string[]> =>
    enginesOf(rowsOf(await system.query(TRACES, start)));
  expect(await rows()).toEqual(['v52']);
  expect(await rows(named('v55'))).toEqual(['v55']);
  expect(await rows(named('v52.0-aaaa'))).toEqual(['v52']);
  const { column } = await system.schema(TRACES, named('v55'));
  expect(column.map(({ name }) => name.toString())).toEqual(['v55']);
});

test('a query that names an engine that no worker has ends with an error that lists the engines', async () => {
  await using system = await new TestSystem([workerWith(V52), workerWith(V55)]).start();
  const none = {
    code: 'invalid_option',
    detail:
      'no worker has the engine v58; there are ' +
      'Perfetto v52.0-aaaa digest (Perfetto v52.0-aaaa), Perfetto v55.3-bbbb digest (Perfetto v55.3-bbbb)',
  };
  await expect(system.query(TRACES, named('v58'))).rejects.toMatchObject(none);
  await expect(system.query(TRACES, named('v58 x'))).rejects.toMatchObject({
    code: 'invalid_option',
  });
  expect(system.workers.flatMap(({ seen }) => seen)).toEqual([]);
});

test('a running query keeps its engine while workers with another one replace its workers', async () => {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow: Script = async ({ rows }) => {
    await released;
    rows('v52', true);
  };
  await using system = await new TestSystem([
    workerWith(V52, { script: slow, window: 2, concurrency: 2 }),
    workerWith(V52, { script: slow, window: 2, concurrency: 2 }),
    workerWith(V55),
  ]).start();
  const [one, two, three] = system.workers;
  const running = gather(system.begin(TRACES));
  await expect.poll(() => (one?.seen.length ?? 0) + (two?.seen.length ?? 0), SOON).toBe(4);
  one?.drain(); // the first step of a rolling upgrade
  release();
  expect(enginesOf(rowsOf(await running))).toEqual(['v52']);
  expect(three?.seen).toEqual([]);
});

test('a query whose engine has left ends with an error after it has returned rows, and before uses another', async () => {
  const only = workerWith(V52, { window: 2 });
  await using system = await new TestSystem([only, only, workerWith(V55)]).start();
  const [one, two] = system.workers;
  const leave = (): void => {
    for (const worker of [one, two]) worker?.kill();
  };
  if (one === undefined || two === undefined) throw new Error('no workers');
  const hang: Script = () => {};
  one.script = two.script = hang;
  const before = gather(system.begin(TRACES));
  await expect.poll(() => one.seen.length + two.seen.length, SOON).toBe(4);
  leave();
  expect(enginesOf(rowsOf(await before))).toEqual(['v55']);
  await Promise.all([one, two].map((worker) => worker.start(Number(worker.address.split(':')[1]))));
  let answered = false;
  const onlyOnce: Script = ({ rows }) => {
    if (!answered) rows('v52', true);
    answered = true;
  };
  one.script = two.script = onlyOnce;
  await expect
    .poll(
      async () => (await system.status()).worker.filter(({ state }) => state === 'ready').length,
      SOON,
    )
    .toBe(3);
  const call = system.begin(TRACES);
  const returned = new Promise((resolve) => call.once('data', resolve));
  const after = gather(call);
  after.catch(() => {});
  await returned;
  leave();
  await expect(after).rejects.toMatchObject({
    code: 'no_workers',
    detail:
      "no worker has the engine Perfetto v52.0-aaaa any more, the query's engine; there are " +
      'Perfetto v55.3-bbbb digest (Perfetto v55.3-bbbb): run the query again',
  });
});
