/** Opens the dashboard of Superset in a browser. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { type ChartQuery, type ChartResult, listenToCharts } from '../../harness/superset.ts';

export const CHARTS = [
  'Before and after, by slice',
  'CPU time by process',
  'Failures in queries of late',
  'Long tasks on main threads (50 ms and more)',
  'Outliers: traces far from the median',
  'Scheduling latency',
  'Slowest slices',
  'Traces by device or OS, and format',
  'Traces that do not load',
  'Trend of a slice, by day of recording',
];

export interface Dashboard {
  /** Chart data by title. */
  results: Map<string, ChartResult>;
  queries: Map<string, ChartQuery>;
  /** Milliseconds from the first request of a chart to the last response. */
  dataMs: number;
}

/** Opens the dashboard, and waits until every chart has its data. @param url that of Superset */
export async function openDashboard(page: Page, url: string): Promise<Dashboard> {
  const titles = await chartTitles(page, url);
  const charts = listenToCharts(page);
  await page.goto(`${url}/superset/dashboard/fleet/`);
  await expect
    .poll(() => charts.results.size, { timeout: 240_000, interval: 50 })
    .toBe(CHARTS.length);
  await expect
    .poll(() => page.locator('[data-test="loading-indicator"]:visible').count(), {
      timeout: 60_000,
    })
    .toBe(0);
  const byTitle = <T>(byId: Map<number, T>): Map<string, T> =>
    new Map([...byId].map(([id, one]) => [titles.get(id) ?? '', one]));
  return {
    results: byTitle(charts.results),
    queries: byTitle(charts.queries),
    dataMs: charts.elapsedMs(),
  };
}

async function chartTitles(page: Page, url: string): Promise<Map<number, string>> {
  const list = await page.request.get(`${url}/api/v1/chart/?q=(page_size:100)`);
  const { result } = (await list.json()) as { result: { id: number; slice_name: string }[] };
  expect(result.map(({ slice_name }) => slice_name).sort()).toEqual(CHARTS);
  return new Map(result.map(({ id, slice_name }) => [id, slice_name]));
}

/** Checks that a heading of a table is within its chart: tables grow beyond it when a cell is long. */
export async function expectVisible(page: Page, title: string, heading: string): Promise<void> {
  const chart = page.locator('[data-test="dashboard-component-chart-holder"]', { hasText: title });
  const outer = await chart.boundingBox();
  const inner = await chart
    .getByRole('columnheader', { name: heading, exact: false })
    .boundingBox();
  expect((inner?.x ?? 1e6) + (inner?.width ?? 0)).toBeLessThan(
    (outer?.x ?? 0) + (outer?.width ?? 0),
  );
}
