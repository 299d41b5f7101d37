/** Tests with networks between orchestrator and workers that cut connections, and delay, drop or corrupt data. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { QueryEvent } from '../../lib/proto/messages.ts';
import { FaultyProxy } from '../testing/proxy.ts';
import type { Script } from '../testing/stub-worker.ts';
import { SOON, TestSystem } from '../testing/system.ts';

const traces = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `/local/t${at}`);

/** Returns three chunks, which are longer for a trace with a higher number. */
const chunksOf = (trace: string): string[] =>
  ['a', 'b', 'c'].map((one) => `${one} of ${trace} `.repeat(Number(trace.slice(8)) + 1));

const inChunks: Script = async ({ trace, rows }) => {
  const chunks = chunksOf(trace);
  for (const [at, chunk] of chunks.entries()) {
    rows(chunk, at === chunks.length - 1);
    await sleep(1);
  }
};

/** Returns the result chunks of each trace in order. */
function byTrace(events: QueryEvent[]): Record<string, string[]> {
  const received: Record<string, string[]> = {};
  for (const { rows } of events) {
    if (!rows) continue;
    const trace = rows.trace.toString();
    received[trace] = [...(received[trace] ?? []), rows.result.toString()];
  }
  return received;
}

/** Starts a system of two workers, each behind a proxy. */
async function throughProxies(workerTimeoutMs = 5000) {
  const options = { script: inChunks, window: 8 };
  const proxies: FaultyProxy[] = [];
  const system = await new TestSystem([options, options], {
    workers: ['dns:///workers.test:1'],
    resolve: async () => proxies.map(({ address }) => address),
    ...{ workerTimeoutMs, workerWaitMs: 10_000 },
  }).startWith(async (addresses) => {
    for (const address of addresses) proxies.push(await new FaultyProxy(address).start());
  });
  const dispose = async (): Promise<void> => {
    await system[Symbol.asyncDispose]();
    for (const proxy of proxies) proxy.stop();
  };
  return { system, proxies, [Symbol.asyncDispose]: dispose };
}

const list = traces(120);
const expected = Object.fromEntries(list.map((trace) => [trace, chunksOf(trace)]));

test('results are complete although connections break repeatedly', async () => {
  await using faulty = await throughProxies();
  let cuts = 0;
  const timer = setInterval(() => {
    if (cuts < 5) faulty.proxies[cuts++ % 2]?.cut();
  }, 30);
  try {
    // Each cut uses up an attempt of every task of the worker, so a few traces may fail for good.
    const events = await faulty.system.query(list, { onFailure: 'LENIENT' });
    const failed = events.flatMap(({ failure }) => failure ?? []);
    expect(failed.map(({ code }) => code).filter((code) => code !== 'worker_lost')).toEqual([]);
    const received = byTrace(events);
    for (const { trace } of failed) delete received[trace.toString()];
    const rest = Object.entries(expected).filter(([trace]) => received[trace] !== undefined);
    expect(received).toEqual(Object.fromEntries(rest));
    expect(failed.length + rest.length).toBe(list.length);
    expect(failed.length).toBeLessThan(20);
    expect(cuts).toBeGreaterThan(2);
  } finally {
    clearInterval(timer);
  }
});

test('results are the same over a slow network', async () => {
  await using faulty = await throughProxies();
  for (const proxy of faulty.proxies) proxy.delayMs = 30;
  expect(byTrace(await faulty.system.query(list))).toEqual(expected);
});

test('a worker whose network drops everything is lost, and is ready again when the network works', async () => {
  await using faulty = await throughProxies(300);
  const running = faulty.system.query(list);
  await expect.poll(() => faulty.system.workers[0]?.seen.length, SOON).toBeGreaterThan(8);
  const [swallowing] = faulty.proxies;
  if (swallowing) swallowing.swallows = true;
  expect(byTrace(await running)).toEqual(expected);
  if (swallowing) swallowing.swallows = false;
  const states = async () => (await faulty.system.status()).worker.map(({ state }) => state);
  await expect.poll(states, { timeout: 5000 }).toEqual(['ready', 'ready']);
});

test('with flipped bits, each trace has the right result or fails', async () => {
  await using faulty = await throughProxies(1000);
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let flips = 0;
  for (const proxy of faulty.proxies)
    proxy.spoil = (piece) => {
      if (random(15) > 0) return;
      const at = random(piece.length);
      piece[at] = (piece[at] ?? 0) ^ (1 << random(8));
      flips += 1;
    };
  const events = await faulty.system.query(list, { onFailure: 'LENIENT' });
  const failed = new Set(events.flatMap(({ failure }) => failure?.trace.toString() ?? []));
  const received = byTrace(events);
  for (const trace of list)
    if (!failed.has(trace)) expect(received[trace]).toEqual(expected[trace]);
  expect(flips).toBeGreaterThan(3);
  expect(failed.size).toBeLessThan(60);
}, 60_000);
