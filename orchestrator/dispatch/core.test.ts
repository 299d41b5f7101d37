/** Tests of pure code: placement, retry, replay, stealing, sampling, the set of traces. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BigtraceError, type ErrorCode } from '../../lib/common/errors.ts';
import { FailureLog } from '../query/failure-log.ts';
import { TraceSet, traceDigest } from '../query/trace-set.ts';
import { spreadOrder } from '../schema/spread.ts';
import { placementFor, placementSeed, preferredWorker } from './placement.ts';
import { PlacementMemory } from './placement-memory.ts';
import { Replay } from './replay.ts';
import { type Attempts, retryDecision } from './retry.ts';
import { stealPays } from './steal.ts';
import { QueryTask, TaskQueue } from './task.ts';

const digestOf = (text: string) => traceDigest(Buffer.from(text));
const place = (address: string, load = 0) => ({ address, seed: placementSeed(address), load });
const fleet = (count: number) =>
  Array.from({ length: count }, (_, at) => place(`10.0.0.${at}:5052`));

test('placement spreads traces evenly, and only the traces of a worker that leaves move', () => {
  const five = fleet(5);
  const four = five.slice(0, 4);
  const homes = new Map<string, number>();
  let moved = 0;
  for (let at = 0; at < 10_000; at++) {
    const digest = digestOf(`/local/trace-${at}`);
    const before = preferredWorker(digest, five)?.address ?? '';
    homes.set(before, (homes.get(before) ?? 0) + 1);
    if (before !== five[4]?.address && preferredWorker(digest, four)?.address !== before)
      moved += 1;
  }
  expect(moved).toBe(0);
  for (const count of homes.values()) {
    expect(count).toBeGreaterThan(1800);
    expect(count).toBeLessThan(2200);
  }
});

test('placement skips a worker whose load exceeds its share', () => {
  const digest = digestOf('/local/a');
  const places = fleet(4);
  const home = preferredWorker(digest, places);
  if (home === undefined) throw new Error('no home');
  home.load = 100;
  const next = placementFor(digest, places);
  expect(next).not.toBe(home);
  expect(next?.load).toBe(0);
  for (const other of places) other.load = 100;
  expect(placementFor(digest, places)).toBe(home);
  expect(placementFor(digest, [])).toBeUndefined();
});

test('a query of few traces is balanced: no worker gets more than 1.25 times its share', () => {
  const places = fleet(2);
  for (let at = 0; at < 8; at++) {
    const chosen = placementFor(digestOf(`/local/${at}`), places);
    if (chosen) chosen.load += 1;
  }
  expect(Math.max(...places.map(({ load }) => load))).toBeLessThanOrEqual(5);
});

const failed = (code: ErrorCode, tried: Partial<Attempts>) =>
  retryDecision(new BigtraceError(code, 'why'), {
    ...{ attempts: 1, crashes: 0, othersLeft: true },
    ...tried,
  });

test.each<[ErrorCode, Partial<Attempts>, string]>([
  ['sql_failed', {}, 'fail'],
  ['trace_invalid', {}, 'fail'],
  ['limit_exceeded', {}, 'fail'],
  ['worker_lost', {}, 'elsewhere'],
  ['worker_lost', { othersLeft: false }, 'anywhere'],
  ['worker_lost', { attempts: 3 }, 'fail'],
  ['store_failed', { attempts: 2 }, 'elsewhere'],
  ['trace_changed', { othersLeft: false }, 'anywhere'],
  ['engine_crashed', { crashes: 1 }, 'elsewhere'],
  ['engine_crashed', { crashes: 1, othersLeft: false }, 'fail'],
  ['engine_crashed', { crashes: 2, attempts: 2 }, 'fail'],
])('the retry decision after %s with %j is %s', (code, tried, next) => {
  expect(failed(code, tried).next).toBe(next);
});

test('the error of a trace that was tried more than once states the number of attempts', () => {
  const verdict = failed('worker_lost', { attempts: 3 });
  expect(verdict.next === 'fail' && verdict.error.message).toBe('why (tried 3 times)');
});

test('replay passes each chunk of the result on exactly once, wherever the stream breaks', () => {
  const anyChunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 5 }), { minLength: 1 });
  fc.assert(
    fc.property(anyChunks, fc.array(fc.nat(8), { maxLength: 4 }), (chunks, breaks) => {
      const replay = new Replay();
      const passed: Uint8Array[] = [];
      for (const upTo of [...breaks.map((at) => Math.min(at, chunks.length - 1)), chunks.length]) {
        replay.restart();
        chunks.slice(0, upTo).forEach((chunk, at) => {
          const verdict = replay.take(chunk, at === chunks.length - 1);
          expect(verdict).not.toBe('differs');
          if (verdict === 'pass') passed.push(chunk);
        });
      }
      expect(passed).toEqual(chunks);
    }),
  );
});

test('stealing pays when waiting would take longer than loading the trace', () => {
  const warm = { threads: 1, taskMs: 5 };
  expect(stealPays({ ...warm, open: 10 }, 1000)).toBe(false);
  expect(stealPays({ ...warm, open: 1000 }, 1000)).toBe(true);
  const cold = { threads: 2, taskMs: 1000 };
  expect(stealPays({ ...cold, open: 2 }, 1000)).toBe(false); // both tasks run already
  expect(stealPays({ ...cold, open: 3 }, 1000)).toBe(true);
});

test('samples are spread evenly for any number of them', () => {
  expect(spreadOrder(0)).toEqual([]);
  expect(spreadOrder(1)).toEqual([0]);
  expect(spreadOrder(8).slice(0, 4)).toEqual([0, 4, 2, 6]);
  for (let count = 1; count < 70; count++)
    expect([...spreadOrder(count)].sort((a, b) => a - b)).toEqual(
      count <= 64 ? Array.from({ length: count }, (_, at) => at) : expect.any(Array),
    );
  expect(new Set(spreadOrder(1_000_000)).size).toBe(64);
});

test('the set of traces holds each trace once', () => {
  const set = new TraceSet();
  for (let round = 0; round < 2; round++)
    for (let at = 0; at < 20_000; at++) expect(set.add(digestOf(`/local/${at}`))).toBe(round === 0);
  expect(set.size).toBe(20_000);
});

test('tasks can be taken from both ends of a queue', () => {
  const queue = new TaskQueue();
  const digest = digestOf('');
  const ids: number[] = [];
  for (let id = 0; id < 5000; id++)
    queue.push(Object.assign(new QueryTask({ trace: Buffer.of(), digest }), { id }));
  expect(queue.popIf(() => true)?.id).toBe(4999);
  expect(queue.popIf(() => false)).toBeUndefined();
  while (queue.length > 0) ids.push(...queue.shift(700).map(({ id }) => id));
  expect(ids).toEqual(Array.from({ length: 4999 }, (_, at) => at));
  expect(queue.popIf(() => true)).toBeUndefined();
});

test('the placement memory and the failure log are bounded', () => {
  const memory = new PlacementMemory();
  for (let at = 0; at < 100_100; at++) memory.set(digestOf(`${at}`), `w${at}`);
  expect(memory.size).toBe(100_000);
  expect(memory.get(digestOf('0'))).toEqual([]);
  expect(memory.get(digestOf('100099'))).toEqual(['w100099']);
  const log = new FailureLog();
  const failure = {
    user: '',
    trace: Buffer.from('/local/a'),
    code: 'internal',
    message: '',
    attempts: 1,
    timeMs: 1,
  };
  for (const queryId of ['a', 'b', 'c', 'd', 'e'])
    for (let at = 0; at < 6000; at++) log.add({ ...failure, queryId });
  expect(log.size).toBe(20_000);
  expect([...log.read('a', 0)]).toEqual([]);
  expect([...log.read('', 1)].map(({ queryId }) => queryId)).toEqual(['e']);
  expect([...log.read('e', 0)]).toHaveLength(5000);
  log.add({ ...failure, queryId: 'e', trace: Buffer.of(), message: 'all 6000 traces failed' });
  expect([...log.read('e', 0)].at(-1)?.message).toBe('all 6000 traces failed');
  expect(log.size).toBe(15_001);
});

test('a generation seen in a listing is used for 2 s', () => {
  const trace = Buffer.from('/local/a');
  const listed = { generation: 'g', size: 7, sinceMs: 500 };
  const task = new QueryTask({ trace, digest: traceDigest(trace), listed });
  expect([500, 2500, 2501].map((now) => task.generationAt(now))).toEqual(['g', 'g', '']);
  expect(new QueryTask({ trace, digest: traceDigest(trace) }).generationAt(500)).toBe('');
});
