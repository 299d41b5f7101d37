/** Cancels tasks in each phase: the engine stops, all permits are released, and the stream continues. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rowsOf } from '../../lib/query-result/index.ts';
import { type TestRun, type TestWorker, testWorker, until } from '../testing/worker.ts';

const NAN = '/local/bad/json-counter-nan.json';
const GZIP = '/local/recorded/linux/gzip-cpu.pftrace';
const ENDLESS =
  'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';
const HOUR = { minMs: 3_600_000, bytesPerSecond: 2 ** 20 };

/** A store that reports the size of each trace (below /stat not even that), and sends no bytes. */
let silent: Server;
let host: string;
let worker: TestWorker;

beforeAll(async () => {
  silent = createServer((request, response) => {
    if (request.url?.startsWith('/stat') === true) return;
    response.writeHead(200, { 'content-length': 1000, etag: '"1"' });
    if (request.method === 'HEAD') response.end();
    else response.flushHeaders();
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { stores } = await import('../testing/worker.ts').then(({ testConfig }) => testConfig());
  const http = { hosts: [host], allowPrivate: true };
  const requests = { timeoutMs: 3_600_000, attemptsMax: 1, concurrencyMax: 1 };
  worker = await testWorker({
    ...{ threads: 1, spareThreads: 0, loadBound: HOUR },
    stores: { ...stores, http, requests },
  });
});
afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  silent?.closeAllConnections();
  silent?.close();
});

async function gauges(): Promise<Record<string, number>> {
  return (await worker.client.status()).gauges;
}

/** Resolves when the stream has reported that the task is in the phase. */
async function reported(run: TestRun, id: number | undefined, phase: string): Promise<void> {
  await run.until(() =>
    run.events.some(({ states }) =>
      states?.state.some((state) => state.id === id && state.phase === phase),
    ),
  );
}

/** Resolves when no task is left and no permit is held. */
async function nothingHeld(): Promise<void> {
  await until(async () => {
    const { tasksRunning, tasksQueued, gauges: now } = await worker.client.status();
    const held = ['engines_busy', 'lookups', 'reads_ahead', 'store_requests', 'permits_waiting'];
    return tasksRunning + tasksQueued + held.reduce((sum, name) => sum + (now[name] ?? 1), 0) === 0;
  });
}

test.each([
  ['PARSING', NAN, 'SELECT 1'],
  ['RUNNING_SQL', GZIP, ENDLESS],
  ['READING', 'silent', 'SELECT 1'],
] as const)(
  '%s: Status names the running task, and cancelling ends it',
  async (phase, trace, sql) => {
    const run = worker.client.run({ sql, user: 'a' });
    const address = trace === 'silent' ? `/http/${host}/x` : trace;
    const [id = 0] = run.add(address);
    await reported(run, id, phase);
    const { running = [] } = await worker.client.status();
    expect(running.map((one) => [one.trace.toString(), one.phase, one.queryId, one.user])).toEqual([
      [address, phase, 'test', 'a'],
    ]);
    const [queued = 0] = run.add(GZIP);
    await reported(run, queued, 'QUEUED');
    run.call.write({ cancel: { id: [id, queued] } });
    const ends = await run.endsOf([id, queued]);
    expect(ends.map(({ end, results }) => [end.returned?.id, results.length])).toEqual([
      [[id], 0],
      [[queued], 0],
    ]);
    await nothingHeld();
    run.call.cancel();
    const after = worker.client.run({ sql: 'SELECT count(*) FROM sched' });
    const [end] = await after.endsOf(after.add(GZIP));
    expect(rowsOf(end?.results ?? [])).toEqual([[2547n]]);
    after.call.cancel();
  },
);

test('a hanging lookup, and one that waits for its permit, are cancelled with their stream', async () => {
  const run = worker.client.run({ sql: 'SELECT 1' });
  run.add(`/http/${host}/stat/1`, `/http/${host}/stat/2`);
  await until(async () => (await gauges())['store_requests_waiting'] === 1);
  run.call.cancel();
  await nothingHeld();
});
