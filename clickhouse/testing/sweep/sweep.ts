/** Runs queries with changed settings of ClickHouse, and reports which settings change a result. */
import type { Assignment } from './assignments.ts';
import { culpritsIn } from './culprits.ts';
import { resultIn } from './row-binary.ts';

/** Resolves with the result in RowBinaryWithNamesAndTypes; rejects with ClickHouse's error message. */
export type RunQuery = (query: string, settings: readonly Assignment[]) => Promise<Buffer>;

export interface SweepQuery {
  name: string;
  query: string;
  /** Query that reads the same rows from a table. What a setting does to these is its defined effect. */
  twin: string;
}

export interface Finding {
  query: string;
  settings: Assignment[];
  /** The changed result or error. */
  outcome: string;
  /** Whether the query of the table changed in the same way. */
  asOfTable: boolean;
}

/** Finds the settings that change the result of a query. @param expected the result without changed settings */
export async function findingsOf(
  runQuery: RunQuery,
  { name, query, twin }: SweepQuery,
  expected: string,
  groups: readonly (readonly Assignment[])[],
): Promise<Finding[]> {
  const agrees = async (some: readonly Assignment[]): Promise<boolean> =>
    (await outcomeOf(runQuery, query, some)) === expected;
  const findings: Finding[] = [];
  for (const group of groups)
    for (const settings of await culpritsIn(group, agrees)) {
      const outcome = await outcomeOf(runQuery, query, settings);
      const asOfTable = outcome === (await outcomeOf(runQuery, twin, settings));
      findings.push({ query: name, settings, outcome, asOfTable });
    }
  return findings;
}

/** The columns and rows as JSON, or the error. */
export async function outcomeOf(
  runQuery: RunQuery,
  query: string,
  settings: readonly Assignment[] = [],
): Promise<string> {
  try {
    return JSON.stringify(resultIn(await runQuery(query, settings)));
  } catch (error) {
    return `error: ${error instanceof Error ? error.message : error}`;
  }
}

/** One line for display, such as `bigtrace: limit=1: {…`. */
export function textOf({ query, settings, outcome }: Finding): string {
  const names = settings.map(({ name, value }) => `${name}=${value}`).join(' and ');
  return `${query}: ${names}: ${outcome.slice(0, 400)}`;
}
