/** Asks questions with all settings of ClickHouse at other values, and tells which change an answer. */
import type { Assignment } from './assignments.ts';
import { culpritsIn } from './culprits.ts';
import { answerIn } from './row-binary.ts';

/** Resolves to the answer in RowBinaryWithNamesAndTypes; rejects with ClickHouse's own text. */
export type Ask = (query: string, settings: readonly Assignment[]) => Promise<Buffer>;

export interface Question {
  name: string;
  query: string;
  /** The same rows from a table: what a setting does to these it does by its definition. */
  twin: string;
}

export interface Finding {
  question: string;
  settings: Assignment[];
  /** What became of the answer. */
  outcome: string;
  /** Whether the same became of the table's rows. */
  asOfTable: boolean;
}

/** What groups of settings change of the answer to a question, which is `expected` without them. */
export async function findingsOf(
  ask: Ask,
  { name, query, twin }: Question,
  expected: string,
  groups: readonly (readonly Assignment[])[],
): Promise<Finding[]> {
  const agrees = async (some: readonly Assignment[]): Promise<boolean> =>
    (await outcomeOf(ask, query, some)) === expected;
  const findings: Finding[] = [];
  for (const group of groups)
    for (const settings of await culpritsIn(group, agrees)) {
      const outcome = await outcomeOf(ask, query, settings);
      const asOfTable = outcome === (await outcomeOf(ask, twin, settings));
      findings.push({ question: name, settings, outcome, asOfTable });
    }
  return findings;
}

/** Columns and rows, or the error. */
export async function outcomeOf(
  ask: Ask,
  query: string,
  settings: readonly Assignment[] = [],
): Promise<string> {
  try {
    return JSON.stringify(answerIn(await ask(query, settings)));
  } catch (error) {
    return `error: ${error instanceof Error ? error.message : error}`;
  }
}

/** For people: `bigtrace: limit=1: {…`. */
export function textOf({ question, settings, outcome }: Finding): string {
  const names = settings.map(({ name, value }) => `${name}=${value}`).join(' and ');
  return `${question}: ${names}: ${outcome.slice(0, 400)}`;
}
