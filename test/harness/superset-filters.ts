/** Asks Superset for the data of charts as the browser does when values of the dashboard's native filters are chosen. */
import type { ChartQuery, ChartResult } from './superset.ts';

type Choice = [column: string, value: unknown];

/** Values of a native filter that select no trace, and some traces. */
interface NativeFilter {
  column: string;
  none: unknown;
  some: unknown;
}

const SELECTS = ['system_name', 'os_release', 'device', 'format', 'chrome_version', 'address'];

async function nativeFilters(
  byClient: (query: string) => Promise<string[][]>,
): Promise<NativeFilter[]> {
  const selects = await Promise.all(
    SELECTS.map(async (column) => {
      const rows = await byClient(
        `SELECT DISTINCT ifNull(${column}, '<NULL>') AS v FROM traces WHERE error_code = '' ORDER BY v`,
      );
      return { column, none: ["n'i\\x"], some: rows.map(([value]) => value) };
    }),
  );
  const time = { none: '1990-01-01 : 1990-01-02', some: '2020-01-01 : 2100-01-01' };
  return [...selects, { column: 'start_time', ...time }];
}

function filtered(chart: ChartQuery, chosen: readonly Choice[]): ChartQuery {
  const kept = (col: string): boolean => !chosen.some(([column]) => column === col);
  const added = chosen.map(([col, val]) => ({
    ...{ col, val, op: Array.isArray(val) ? 'IN' : 'TEMPORAL_RANGE' },
  }));
  const queries = chart.queries.map((query) => ({
    ...query,
    filters: [...query.filters.filter(({ col }) => kept(col)), ...added],
  }));
  return { ...chart, queries };
}

/**
 * Applies every filter alone to every chart, with values that select nothing, and every pair of filters to one chart.
 * @param queries what the browser sends for charts over traces, by their titles
 * @param one title of the chart for all values and pairs
 * @returns what is wrong: errors, rows where no trace is chosen, and no rows where all are
 */
export async function complaintsAboutFilters(
  queries: ReadonlyMap<string, ChartQuery>,
  one: string,
  run: (chart: ChartQuery) => Promise<ChartResult>,
  byClient: (query: string) => Promise<string[][]>,
): Promise<string[]> {
  const complaints: string[] = [];
  const expectRows = async (title: string, has: boolean, ...chosen: Choice[]): Promise<void> => {
    const chart = queries.get(title);
    if (chart === undefined) throw new Error(`the dashboard has no chart ${title}`);
    const { rows, error } = await run(filtered(chart, chosen));
    if (error !== null || rows.length > 0 !== has)
      complaints.push(`${title}, ${JSON.stringify(chosen)}: ${error ?? `${rows.length} rows`}`);
  };
  const filters = await nativeFilters(byClient);
  for (const { column, none, some } of filters) {
    await Promise.all([...queries.keys()].map((title) => expectRows(title, false, [column, none])));
    await expectRows(one, true, [column, some]);
  }
  for (const [nth, first] of filters.entries())
    for (const second of filters.slice(nth + 1))
      await expectRows(one, false, [first.column, first.some], [second.column, second.none]);
  return complaints;
}
