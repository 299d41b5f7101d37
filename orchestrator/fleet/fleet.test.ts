/** Tests of the states that the fleet keeps of its workers, in virtual time. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import { createLogger } from '../../lib/common/observability/log.ts';
import type { WorkerStatus } from '../../lib/proto/messages.ts';
import { Fleet } from './fleet.ts';
import type { WorkerClient } from './worker-client.ts';

const STATUS: WorkerStatus = {
  ...{ version: '', engine: '', threads: 1, tasksRunning: 0, tasksQueued: 0, uptimeMs: 0 },
  ...{ draining: false, counters: {}, gauges: {} },
};

interface Poll {
  answer(): void;
  fail(): void;
}

let fleet: Fleet;
/** Status polls that have no response yet. */
let polls: Poll[];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  polls = [];
  const client = {
    status: () =>
      new Promise<WorkerStatus>((resolve, reject) => {
        polls.push({
          answer: () => resolve(STATUS),
          fail: () => reject(new BigtraceError('worker_lost', 'connect ECONNREFUSED')),
        });
      }),
    close: () => undefined,
  } as unknown as WorkerClient;
  const options = { workers: ['w:1'], resolveIntervalMs: 1000, workerTimeoutMs: 1000 };
  const resolve = async (target: string): Promise<string[]> => [target];
  fleet = new Fleet(
    { ...options, workerCredentials: {}, connect: () => client, resolve },
    createLogger('test', 'silent'),
  );
  const started = fleet.start();
  await vi.advanceTimersByTimeAsync(0);
  polls.shift()?.answer();
  await started;
});
afterEach(() => {
  fleet.close();
  vi.useRealTimers();
});

const usable = (): Promise<string> =>
  fleet.waitUsable(60_000, new AbortController().signal).then(
    ([worker]) => worker?.address ?? '',
    (error: BigtraceError) => error.code,
  );

test('a waiter gets a worker that was lost during a poll and responds to the next one', async () => {
  await vi.advanceTimersByTimeAsync(1000);
  expect(polls).toHaveLength(1); // in progress
  const [worker] = fleet.workers;
  if (worker) fleet.suspect(worker, 'its stream broke');
  const waiting = usable();
  polls.shift()?.answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(worker?.state).toBe('lost'); // that poll began before the stream broke
  await vi.advanceTimersByTimeAsync(250);
  polls.shift()?.answer();
  await vi.advanceTimersByTimeAsync(0);
  expect(await waiting).toBe('w:1');
});

test('a waiter gets a worker that reported draining and is ready again', async () => {
  await vi.advanceTimersByTimeAsync(1000);
  const [worker] = fleet.workers;
  if (worker) fleet.noteDraining(worker);
  const waiting = usable();
  polls.shift()?.answer();
  expect(await waiting).toBe('w:1');
});

test('polls add no abort listeners', async () => {
  const added = vi.spyOn(AbortSignal.prototype, 'addEventListener');
  const any = vi.spyOn(AbortSignal, 'any');
  for (let count = 0; count < 10; count++) {
    await vi.advanceTimersByTimeAsync(1000);
    polls.shift()?.answer();
  }
  expect([added.mock.calls.length, any.mock.calls.length]).toEqual([0, 0]);
  vi.restoreAllMocks();
});

test('a worker that fails its poll is unusable at once, and a waiter gets it when it responds again', async () => {
  await vi.advanceTimersByTimeAsync(1000);
  polls.shift()?.fail();
  await vi.advanceTimersByTimeAsync(0);
  expect(fleet.usable).toEqual([]);
  const waiting = usable();
  await vi.advanceTimersByTimeAsync(250);
  polls.shift()?.answer();
  expect(await waiting).toBe('w:1');
});
