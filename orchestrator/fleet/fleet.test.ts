/** Tests of the states that the fleet keeps of its workers, in virtual time. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BigtraceError } from '../../lib/common/errors.ts';
import { createLogger } from '../../lib/common/observability/log.ts';
import type { WorkerStatus } from '../../lib/proto/messages.ts';
import { Fleet } from './fleet.ts';
import { resolveTarget } from './resolve.ts';
import type { WorkerClient } from './worker-client.ts';

const STATUS: WorkerStatus = {
  ...{ version: '', engine: '', threads: 1, tasksRunning: 0, tasksQueued: 0, uptimeMs: 0 },
  ...{
    draining: false,
    counters: {},
    gauges: {},
    sqlPackage: [],
    cacheId: '',
    firstCredits: 0,
    instanceMemoryBytes: 0,
    engineName: '',
    engineRuntime: '',
    memory64: false,
  },
  ...{ running: [], barred: [], barredTotal: 0, localRoot: [], instanceMemoryBytes: 0 },
};

const unused = (): never => {
  throw new Error('the test does not call it');
};

interface Poll {
  answer(): void;
  fail(): void;
}

let fleet: Fleet;
let open: (workers: string[]) => void;
/** The resolver. */
let addresses: (target: string) => Promise<string[]>;
/** Status polls that have no response yet. */
let polls: Poll[];

beforeEach(async () => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  });
  addresses = async (target) => [target];
  polls = [];
  const client: WorkerClient = {
    ...{ run: unused, list: unused, readTrace: unused, vocabulary: unused, unbar: unused },
    sources: unused,
    status: () =>
      new Promise<WorkerStatus>((resolve, reject) => {
        polls.push({
          answer: () => resolve(STATUS),
          fail: () => reject(new BigtraceError('worker_lost', 'connect ECONNREFUSED')),
        });
      }),
    close: () => undefined,
  };
  open = (workers) => {
    fleet = new Fleet(
      {
        ...{ workers, resolveIntervalMs: 5000, workerTimeoutMs: 1000, workerCredentials: {} },
        ...{ connect: () => client, resolve: (target) => addresses(target) },
      },
      createLogger('test', 'silent'),
    );
  };
  open(['w:1']);
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

describe('with a DNS name', () => {
  async function openNamed(...first: string[]): Promise<void> {
    fleet.close();
    polls = [];
    addresses = async () => first;
    open(['dns:///workers:5052']);
    const started = fleet.start();
    await respond();
    await started;
  }

  /** Lets each poll in progress succeed. */
  async function respond(): Promise<void> {
    await vi.advanceTimersByTimeAsync(0);
    for (const poll of polls.splice(0)) poll.answer();
    await vi.advanceTimersByTimeAsync(0);
  }

  test('a waiting query gets a worker within a second of its address being known', async () => {
    await openNamed();
    const waiting = usable();
    await vi.advanceTimersByTimeAsync(500);
    addresses = async () => ['10.0.0.1:5052'];
    await vi.advanceTimersByTimeAsync(500);
    await respond();
    expect(await waiting).toBe('10.0.0.1:5052');
  });

  test('many waiting queries resolve the name once a second', async () => {
    await openNamed();
    let count = 0;
    addresses = async () => {
      count += 1;
      return [];
    };
    const waiting = Array.from({ length: 50 }, usable);
    await vi.advanceTimersByTimeAsync(4000);
    expect(count).toBe(4);
    fleet.close();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['no_workers']));
  });

  test('a worker without a name gets no new tasks, and stays until it stops responding', async () => {
    await openNamed('10.0.0.1:5052');
    addresses = async () => [];
    await vi.advanceTimersByTimeAsync(5000);
    await respond();
    expect(fleet.usable).toEqual([]);
    expect(fleet.workers.map(({ state }) => state)).toEqual(['ready']);
    addresses = async () => ['10.0.0.1:5052'];
    await vi.advanceTimersByTimeAsync(5000);
    await respond();
    expect(fleet.usable.map(({ address }) => address)).toEqual(['10.0.0.1:5052']);
    addresses = async () => [];
    await vi.advanceTimersByTimeAsync(5000);
    polls.shift()?.fail();
    await vi.advanceTimersByTimeAsync(0);
    expect(fleet.workers).toEqual([]);
  });

  test('a failing resolver changes nothing', async () => {
    await openNamed('10.0.0.1:5052');
    addresses = async () => Promise.reject(new Error('EAI_AGAIN'));
    await vi.advanceTimersByTimeAsync(1000);
    polls.shift()?.fail();
    await vi.advanceTimersByTimeAsync(5000);
    expect(fleet.workers.map(({ state }) => state)).toEqual(['lost']);
  });
});

test('a name without addresses resolves to none', async () => {
  expect(await resolveTarget('dns:///does-not-exist.invalid:5052')).toEqual([]);
});
