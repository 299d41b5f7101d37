/** The client of several orchestrators, against stand-ins that speak their gRPC. */
import * as grpc from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { BigtraceError } from '../lib/common/errors.ts';
import { toServiceError } from '../lib/common/grpc-errors.ts';
import { createLogger } from '../lib/common/observability/log.ts';
import type { OrchestratorStatusInput, Progress, RecordedFailure } from '../lib/proto/messages.ts';
import { BigtraceOrchestrator, GRPC_OPTIONS } from '../lib/proto/services.ts';
import { Orchestrators } from './orchestrators.ts';

/** What a stand-in knows. */
interface Known {
  progress?: Progress;
  failures?: Partial<RecordedFailure>[];
  cancelled?: number;
  status?: OrchestratorStatusInput;
  /** Contents of its traces, by address. */
  traces?: Record<string, string>;
}

const servers: grpc.Server[] = [];
let orchestrators: Orchestrators | undefined;
afterEach(() => {
  orchestrators?.close();
  for (const server of servers.splice(0)) server.forceShutdown();
});

/** Serves one orchestrator for each of `all`, and returns their client. An undefined one does not run. */
async function over(...all: (Known | undefined)[]): Promise<Orchestrators> {
  const addresses = await Promise.all(all.map((known) => (known ? serve(known) : '127.0.0.1:9')));
  orchestrators = new Orchestrators(addresses, {}, createLogger('test', 'silent'));
  return orchestrators;
}

// biome-ignore lint/suspicious/noExplicitAny: calls of an untyped gRPC service
type Call = any;

async function serve({ progress, failures, cancelled, status, traces }: Known): Promise<string> {
  const server = new grpc.Server(GRPC_OPTIONS);
  servers.push(server);
  server.addService(BigtraceOrchestrator.service, {
    Progress: (_: Call, reply: Call) => reply(null, { progress }),
    Cancel: (_: Call, reply: Call) => reply(null, { cancelled }),
    Status: (_: Call, reply: Call) => reply(null, status),
    Failures: (call: Call) => {
      call.write({ failure: failures ?? [] });
      call.end();
    },
    List: (call: Call) => {
      const address = String(call.request.pattern[0]);
      const content = traces?.[address];
      if (content === undefined)
        return call.emit('error', toServiceError(new BigtraceError('no_match', 'nothing matches')));
      call.write({
        trace: [{ address: Buffer.from(address), size: content.length, generation: 'g' }],
      });
      call.end();
    },
    ReadTrace: (call: Call) => {
      const { address, generation, offset, length } = call.request;
      const content = `${generation}:${traces?.[String(address)] ?? ''}`.slice(2);
      call.write({
        data: Buffer.from(content.slice(offset, length ? offset + length : undefined)),
      });
      call.end();
    },
  });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
    );
  });
}

const PROGRESS: Progress = {
  ...{ tracesTotal: 9, totalIsFinal: true, tracesDone: 4, tracesFailed: 1 },
  ...{ rows: 70, resultBytes: 700, traceBytes: 7000, elapsedMs: 1200, running: [] },
  ...{ coreMs: 2500, tracesRemembered: 1, tracesLoaded: 0, tracesRestored: 1, tracesParsed: 2 },
};

test('the progress of a query comes from the orchestrator that runs it', async () => {
  const watch = await over(undefined, {}, { progress: PROGRESS });
  expect(await watch.counts('q')).toMatchObject(PROGRESS);
});

test('the progress of a query that no reachable orchestrator knows is unknown', async () => {
  const watch = await over(undefined, {});
  expect(await watch.counts('q')).toBeUndefined();
});

test('the failures of a query are those of all orchestrators, each message once', async () => {
  const cut = { trace: Buffer.from('/local/a'), message: 'cut' };
  const watch = await over({ failures: [cut] }, { failures: [cut, { message: 'too long' }] });
  expect(await watch.failures('q', 5)).toEqual(['[/local/a]: cut', 'too long']);
  expect(await watch.failures('q', 1)).toEqual(['[/local/a]: cut']);
});

test('a cancel request reaches all orchestrators that run', async () => {
  const watch = await over({ cancelled: 1 }, undefined, { cancelled: 2 });
  expect(await watch.cancel('q')).toBe(3);
});

test('a trace is read through the first orchestrator that runs', async () => {
  const watch = await over(undefined, { traces: { '/local/a': 'abcdef' } });
  const { size, generation, read } = await watch.openTrace(
    '/local/a',
    new AbortController().signal,
  );
  expect([size, generation]).toEqual([6, 'g']);
  const chunks: Buffer[] = [];
  for await (const chunk of read(1, 3)) chunks.push(chunk);
  expect(Buffer.concat(chunks).toString()).toBe('bcd');
});

test('a trace that does not exist is not found', async () => {
  const watch = await over({ traces: {} });
  const { signal } = new AbortController();
  await expect(watch.openTrace('/local/a', signal)).rejects.toMatchObject({
    ...{ code: 'trace_not_found', trace: '/local/a' },
  });
});

test('without an orchestrator, the state is an error and not an empty system', async () => {
  const watch = await over(undefined);
  const unreachable = { code: 'orchestrator_unreachable' };
  await expect(watch.state()).rejects.toMatchObject(unreachable);
  await expect(watch.recentFailures()).rejects.toMatchObject(unreachable);
  const { signal } = new AbortController();
  await expect(watch.openTrace('/local/a', signal)).rejects.toMatchObject(unreachable);
});

test('the state has the queries of all orchestrators, and each worker once', async () => {
  const query = (queryId: string, mode: 'ROWS' | 'TYPES') => ({
    ...{ queryId, user: 'bob', startedMs: 5, sql: Buffer.from('SELECT 1'), mode },
    progress: PROGRESS,
  });
  const worker = (state: 'ready' | 'lost') => ({ address: 'w:1', state, status: null });
  const gauges = { traces_waiting: 1, traces_in_flight: 2 };
  const watch = await over(
    { status: { worker: [worker('lost')], gauges, counters: { rows: 1 } } },
    undefined,
    {
      status: {
        worker: [worker('ready'), { ...worker('lost'), address: 'w:2' }],
        ...{ gauges, counters: { rows: 2, retries: 3 }, query: [query('b', 'TYPES')] },
      },
    },
  );
  const { workers, queries, ...sums } = await watch.state();
  expect(sums).toEqual({
    ...{ tracesWaiting: 2, tracesInFlight: 4, counters: { rows: 3, retries: 3 } },
  });
  expect(workers.map(({ address, state }) => [address, state])).toEqual([
    ['w:1', 'ready'],
    ['w:2', 'lost'],
  ]);
  expect(queries).toEqual([
    {
      ...{ queryId: 'b', user: 'bob', sql: 'SELECT 1', findsColumns: true, startedMs: 5 },
      progress: PROGRESS,
    },
  ]);
});
