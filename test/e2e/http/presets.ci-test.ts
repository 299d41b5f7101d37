/** Runs every preset on sample traces and checks the number of rows. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadPresets } from '../../../http-api/queries/presets.ts';
import { rowsOf } from '../../../lib/query-result/index.ts';
import { type TestWorker, testWorker } from '../../../worker/testing/worker.ts';

const SAMPLES = [
  ...['dom-cpuprofile', 'fetch-a'].map((name) => `chrome/${name}.pftrace`),
  ...['atrace-print', 'chromium-running', 'compile-c', 'deflate-find', 'gzip-cpu', 'idle'].map(
    (name) => `linux/${name}.pftrace`,
  ),
  ...['pipe-pingpong', 'short-procs'].map((name) => `linux/${name}.pftrace`),
  ...['other/gcc.perf.data', 'other/linux-ftrace.systrace'],
].map((path) => `/local/recorded/${path}`);

/** Traces with data that no sample has: long tasks, and Android. */
const OTHERS = ['recorded/chrome/longtask-a', 'handmade/android-apps'].map(
  (path) => `/local/${path}.pftrace`,
);

/** The expected number of rows by preset: over all of SAMPLES and over all of OTHERS. */
const ROWS: Record<string, [samples: number, others: number]> = {
  'load-errors': [14, 3],
  'trace-overview': [12, 2],
  'longest-slices': [86, 40],
  'self-time': [86, 40],
  'cpu-time-by-process': [180, 0],
  'cpu-utilization': [39, 0],
  'thread-states': [55, 0],
  'sched-latency': [180, 0],
  irqs: [8, 0],
  syscalls: [20, 0],
  'rss-by-process': [160, 0],
  'heap-classes': [0, 2],
  counters: [229, 3],
  'cpu-profile': [27, 0],
  'chrome-long-tasks': [13, 12],
  'chrome-tasks': [0, 20],
  'android-startups': [0, 3],
  'android-frames': [0, 8],
  'android-anrs': [0, 1],
};

let worker: TestWorker;
beforeAll(async () => {
  worker = await testWorker();
});
afterAll(() => worker?.[Symbol.asyncDispose]());

async function rowsOver(traces: string[], sql: string): Promise<number> {
  const run = worker.client.run({ sql });
  const ends = await run.endsOf(run.add(...traces));
  run.call.end();
  await run.over;
  expect(ends.flatMap(({ end }) => end.failure?.message ?? [])).toEqual([]);
  return ends.reduce((rows, { results }) => rows + rowsOf(results).length, 0);
}

test.each(loadPresets(undefined))('$id', async ({ id, perfettoSql }) => {
  const rows = [await rowsOver(SAMPLES, perfettoSql), await rowsOver(OTHERS, perfettoSql)];
  expect(rows).toEqual(ROWS[id]);
});

test('ROWS lists exactly the presets, and each returns rows for some traces', () => {
  expect(Object.keys(ROWS)).toEqual(loadPresets(undefined).map(({ id }) => id));
  for (const [id, rows] of Object.entries(ROWS)) expect(Math.max(...rows), id).toBeGreaterThan(0);
});
