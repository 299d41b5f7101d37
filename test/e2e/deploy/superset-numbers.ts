/** Compares the numbers of Superset's charts with those of clickhouse-client. */
import { expect } from 'vitest';
import type { ChartQuery, ChartResult } from '../../harness/superset.ts';

/** Rows that the chart shows at most. */
const COMPARED_NAMES_MAX = 1000;

type Results = ReadonlyMap<string, ChartResult>;

/** Runs a query with clickhouse-client and returns its rows. */
type ByClient = (query: string) => Promise<string[][]>;

export async function expectSameCpuTime(results: Results, byClient: ByClient): Promise<void> {
  const rows = results.get('CPU time by process')?.rows ?? [];
  const expected = await byClient(`
    SELECT process, sum(ns) AS total FROM bigtrace(traces=['/local/recorded/**'], sql='
      SELECT coalesce(p.name, t.name, \\'\\') AS process, s.dur AS ns
      FROM sched_slice s JOIN thread t USING (utid) LEFT JOIN process p USING (upid)
      WHERE t.tid != 0 AND s.dur > 0')
    GROUP BY process ORDER BY total DESC LIMIT 5`);
  const most = rows.map((row) => [
    row['Process'] ?? row['process'],
    row['CPU time, s'] ?? row['cpu_time_s'],
  ]);
  most.sort(([, a], [, b]) => Number(b) - Number(a));
  expect(most.slice(0, 5).map(([process]) => process)).toEqual(
    expected.map(([process]) => process),
  );
  for (const [place, [, total]] of expected.entries())
    expect(most[place]?.[1]).toBeCloseTo(Number(total) / 1e9, 6);
}

export async function expectSameSlices(results: Results, byClient: ByClient): Promise<void> {
  const rows = results.get('Slowest slices')?.rows ?? [];
  const expected = await byClient(`
    SELECT count(), max(dur) / 1e6, quantileExact(0.95)(dur) / 1e6
    FROM bigtrace(traces=['/local/recorded/**', '/local/handmade/**'], sql='SELECT name, dur FROM slice WHERE dur > 0')
    WHERE name = 'sys_newfstatat'`);
  const row = rows.find((one) => one['name'] === 'sys_newfstatat') ?? {};
  expect([row['slices'], row['max_ms'], row['p95_ms']].map(Number)).toEqual(
    expected[0]?.map(Number),
  );
}

export async function expectSameTrend(
  results: Results,
  byClient: ByClient,
  days: number,
): Promise<void> {
  const rows = results.get('Trend of a slice, by day of recording')?.rows ?? [];
  // The slice of the trend is the one that occurs in the most traces, and of these takes the most time.
  const slices = `SELECT * FROM bigtrace_where(filter='error_code = \\'\\'', sql='SELECT name, dur FROM slice WHERE dur > 0 AND name IS NOT NULL')`;
  const expected = await byClient(`
    SELECT toUnixTimestamp(toStartOfDay(start_time)) * 1000 AS day, quantileExact(0.5)(dur) / 1e6, quantileExact(0.95)(dur) / 1e6
    FROM (${slices}) AS b JOIN traces AS t ON t.address = b._trace_address
    WHERE start_time IS NOT NULL AND name = (
      SELECT name FROM (${slices}) GROUP BY name
      ORDER BY uniqExact(_trace_address) DESC, sum(dur) DESC, name LIMIT 1)
    GROUP BY day ORDER BY day`);
  expect(expected).toHaveLength(days);
  const found = rows.map((row) => [row['start_time'], row['p50'], row['p95']].map(Number));
  expect(found.sort(([a], [b]) => Number(a) - Number(b))).toEqual(
    expected.map((row) => row.map(Number)),
  );
}

/** Compares traces by some of their properties, with the filters of the dashboard, and without one of them. */
export async function expectSameComparisons(
  query: ChartQuery,
  run: (query: ChartQuery) => Promise<ChartResult>,
  byClient: ByClient,
): Promise<void> {
  const paths = {
    before: '/local/recorded/chrome/dom-a.pftrace',
    after: '/local/recorded/chrome/fetch-a.pftrace',
  };
  const choices: [by: string, before: string[], after: string[], where: string][] = [
    ['address', [paths.before], [paths.after], `address IN ('${paths.before}', '${paths.after}')`],
    ['address', [], [paths.after], '1'],
    ['metadata: trace_type', ['json'], ['proto'], "format IN ('json', 'proto')"],
  ];
  for (const [by, before, after, where] of choices) {
    const chosen = { compare_by: [by], before, after };
    const filters = Object.entries(chosen).flatMap(([col, val]) =>
      val.length ? [{ col, op: 'IN', val }] : [],
    );
    const { rows, error } = await run({
      ...query,
      queries: query.queries.map((one) => ({ ...one, filters: [...one.filters, ...filters] })),
    });
    expect(error, by).toBeNull();
    const isAfter = by === 'address' ? `address = '${paths.after}'` : "format = 'proto'";
    const expected = await byClient(`
      SELECT name, uniqExactIf(address, NOT is_after), uniqExactIf(address, is_after),
        quantileExactIf(0.95)(dur, NOT is_after) / 1e6, quantileExactIf(0.95)(dur, is_after) / 1e6
      FROM bigtrace_where(filter='error_code = \\'\\'', sql='SELECT name, dur FROM slice WHERE dur > 0 AND name IS NOT NULL') AS b
      JOIN (SELECT *, ${isAfter} AS is_after FROM traces WHERE ${where}) AS t ON t.address = b._trace_address
      GROUP BY name HAVING countIf(is_after) > 0 AND countIf(NOT is_after) > 0 ORDER BY name`);
    expect(expected.length).toBeGreaterThan(0);
    const measures = ['name', 'before_traces', 'after_traces', 'before_p95_ms', 'after_p95_ms'];
    const found = rows
      .map((row) => measures.map((name) => `${row[name]}`))
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
    const numbers = (all: string[][]): unknown[] =>
      all.map(([name, ...rest]) => [name, ...rest.map(Number)]);
    const shown = new Set(found.map(([name]) => name));
    expect(shown.size, by).toBe(Math.min(expected.length, COMPARED_NAMES_MAX));
    expect(numbers(found), by).toEqual(numbers(expected.filter(([name]) => shown.has(name))));
  }
}
