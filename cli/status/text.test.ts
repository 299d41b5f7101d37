import { expect, it } from 'vitest';
import type { OrchestratorStatus, WorkerStatus } from '../../lib/proto/messages.ts';
import { statusText } from './text.ts';

const WORKER: WorkerStatus = {
  version: '1.2.3',
  engine: 'Perfetto v55.3-abc (abc) 0123',
  threads: 2,
  tasksRunning: 1,
  tasksQueued: 12,
  uptimeMs: 61_000,
  draining: true,
  counters: { tier_result: 5, tier_loaded: 4, tier_snapshot: 3, tier_parse: 2 },
  gauges: { loaded_traces: 7, loaded_bytes: 3 * 2 ** 20 },
  ...{
    sqlPackage: [],
    cacheId: '',
    firstCredits: 0,
    localRoot: [],
    instanceMemoryBytes: 0,
    engineName: 'bundled',
    engineRuntime: 'v8',
    memory64: false,
  },
  ...{ running: [], barred: [], barredTotal: 0 },
};

it('shows queries with progress, and workers with loaded traces', () => {
  const status: OrchestratorStatus = {
    version: '1.2.3',
    queriesRunning: 1,
    counters: {},
    gauges: {},
    worker: [
      { address: '127.0.0.1:5052', state: 'ready', status: WORKER },
      { address: '10.1.2.3:5052', state: 'lost', status: null },
    ],
    query: [
      {
        queryId: 'q1',
        user: 'analyst',
        startedMs: 1000,
        ...{ sql: Buffer.from('SELECT 1'), mode: 'ROWS' as const },
        progress: {
          tracesTotal: 100,
          totalIsFinal: true,
          tracesDone: 40,
          tracesFailed: 0,
          rows: 12,
          resultBytes: 0,
          traceBytes: 0,
          elapsedMs: 0,
          ...{
            coreMs: 0,
            tracesRemembered: 0,
            tracesLoaded: 0,
            tracesRestored: 0,
            tracesParsed: 0,
          },
          running: [],
        },
      },
    ],
  };
  expect(statusText(status, 3500)).toBe(
    `orchestrator 1.2.3: 1 query running
  q1  analyst  2.5 s, 40/100 traces, 12 rows

WORKER          STATE     BUSY  QUEUED  LOADED     RESULTS FROM                             UP
127.0.0.1:5052  draining  1/2   12      7 (3 MiB)  5 result, 4 loaded, 3 snapshot, 2 parse  61 s
10.1.2.3:5052   lost

engine: bundled (Perfetto v55.3-abc)

engine runtime: v8`,
  );
});

it('shows the SQL packages of the workers', () => {
  const withWorkers = (...packages: string[][]): string[] => {
    const worker = packages.map((sqlPackage, at) => ({
      address: `w${at}`,
      state: 'ready' as const,
      status: { ...WORKER, sqlPackage },
    }));
    const rest = { version: '1', queriesRunning: 0, counters: {}, gauges: {}, query: [] };
    return statusText({ ...rest, worker }, 0)
      .split('\n')
      .slice(7 + packages.length);
  };
  expect(withWorkers([], [])).toEqual([]);
  expect(withWorkers(['fleet', 'team'], ['fleet', 'team'])).toEqual([
    '',
    'SQL packages: fleet, team',
  ]);
  expect(withWorkers(['fleet'], [], ['fleet'])).toEqual([
    '',
    'SQL packages of w0, w2: fleet',
    'SQL packages of w1: none',
  ]);
});

it('shows running traces, and barred traces with the command that clears them', () => {
  const running = [
    {
      ...{ trace: Buffer.from('/local/big'), phase: 'PARSING' as const, phaseMs: 12_340 },
      ...{ totalMs: 15_000, queryId: 'q1', user: 'alice', worker: 'w:1', mode: 'ROWS' as const },
    },
  ];
  const progress = {
    ...{ tracesTotal: 2, totalIsFinal: true, tracesDone: 1, tracesFailed: 0, rows: 3 },
    ...{ resultBytes: 0, traceBytes: 0, elapsedMs: 0, running },
    ...{ coreMs: 0, tracesRemembered: 0, tracesLoaded: 0, tracesRestored: 0, tracesParsed: 0 },
  };
  const barred = [
    {
      ...{ trace: Buffer.from('/local/endless'), generation: 'g', code: 'limit_exceeded' },
      ...{ message: 'loading took more than 30 s', barredMs: 1_795_345_249_722 },
    },
  ];
  const text = statusText(
    {
      ...{ version: '1', queriesRunning: 1, counters: {}, gauges: {} },
      worker: [{ address: 'w:1', state: 'ready', status: { ...WORKER, barred, barredTotal: 5 } }],
      query: [
        {
          ...{ queryId: 'q1', user: 'alice', startedMs: 0, progress },
          ...{ sql: Buffer.from('SELECT 1'), mode: 'ROWS' },
        },
      ],
    },
    20_000,
  );
  expect(text).toContain('\n    /local/big  being parsed for 12.3 s, 15.0 s in all, on w:1\n');
  expect(text).toContain(
    '\n5 traces are barred (the last 1); run `bigtrace unbar ADDRESS` or `bigtrace unbar --all` to load them again:\n' +
      '  /local/endless  on w:1 since 2026-11-22T11:00:49.722Z: loading took more than 30 s (limit_exceeded)',
  );
});

it('shows the engine of each worker, and what executes it, if they differ', () => {
  const v52 = {
    ...{ engine: 'Perfetto v52.0-def (def) 4567', engineName: 'v52.0-def', memory64: true },
    engineRuntime: 'native',
  };
  const worker = [WORKER, { ...WORKER, ...v52 }, WORKER].map((status, at) => {
    return { address: `w${at}`, state: 'ready' as const, status };
  });
  const rest = { version: '1', queriesRunning: 0, counters: {}, gauges: {}, query: [] };
  expect(
    statusText({ ...rest, worker }, 0)
      .split('\n')
      .slice(6),
  ).toEqual([
    '',
    'engine of w0, w2: bundled (Perfetto v55.3-abc)',
    'engine of w1: v52.0-def (Perfetto v52.0-def), with 64-bit memory',
    '',
    'engine runtime of w0, w2: v8',
    'engine runtime of w1: native',
  ]);
});
