/** What a query has cost, as columns of bigtrace.query_history. */
import type { Cost } from '../contract/page.ts';

const COLUMNS = {
  coreMs: 'core_ms',
  traceBytes: 'trace_bytes',
  tracesRemembered: 'traces_remembered',
  tracesLoaded: 'traces_loaded',
  tracesRestored: 'traces_restored',
  tracesParsed: 'traces_parsed',
} as const satisfies Record<keyof Cost, string>;

const ENTRIES = Object.entries(COLUMNS) as [keyof Cost, string][];

/** The columns in a SELECT, for costFrom. */
export const COST_COLUMNS = ENTRIES.map(([, column]) => `toString(${column})`).join(', ');

/** The part of `counts` that is a cost. */
export function costOf(counts: Cost): Cost {
  return Object.fromEntries(ENTRIES.map(([name]) => [name, counts[name]])) as Cost;
}

/** Values of the columns, as SQL. */
export function costValues(cost: Cost | undefined): Record<string, string> {
  return Object.fromEntries(
    ENTRIES.map(([name, column]) => [column, cost === undefined ? 'NULL' : String(cost[name])]),
  );
}

/** @param values of COST_COLUMNS @returns undefined if the cost is unknown */
export function costFrom(values: readonly (string | null)[]): Cost | undefined {
  if (values.some((value) => value === null)) return undefined;
  return Object.fromEntries(ENTRIES.map(([name], at) => [name, Number(values[at])])) as Cost;
}
