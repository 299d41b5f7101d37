/**
 * Tests that no setting of a user changes a result, except settings with that purpose. `npm run test:sweep:whole` tests
 * every view, in smaller groups of settings.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestEngine, type TestEngine } from '../testing/engine.ts';
import { type Assignment, COMPATIBILITY_LEVELS, groupsOf } from '../testing/sweep/assignments.ts';
import { BY_DEFINITION } from '../testing/sweep/by-definition.ts';
import { makeQueries } from '../testing/sweep/queries.ts';
import { type Accepted, acceptedAssignments, runAs } from '../testing/sweep/run-query.ts';
import { findingsOf, outcomeOf, type SweepQuery, textOf } from '../testing/sweep/sweep.ts';

const WHOLE = process.env['SWEEP'] === 'whole';

const TIMEOUT = { timeout: WHOLE ? 7_200_000 : 600_000 };

/** Views of the shorter sweep: one of each kind. */
const KINDS = ['bigtrace', 'bigtrace_table_as', 'bigtrace_summary', 'failures', 'traces'];

let t: TestEngine;
let queries: SweepQuery[];
/** Expected result of each query, by name. */
const expected = new Map<string, string>();
let values: Accepted;

beforeAll(async () => {
  t = await startTestEngine();
  queries = await makeQueries(t);
  for (const { name, query } of queries)
    expected.set(name, await outcomeOf(runAs(t, 'analyst'), query));
  values = await acceptedAssignments(runAs(t, 'analyst'));
});
afterAll(() => t[Symbol.asyncDispose]());

function expectedOf(query: SweepQuery): string {
  const outcome = expected.get(query.name) ?? '';
  expect(outcome).toMatch(/^{"columns"/);
  return outcome;
}

const isListed = ({ name }: Pick<Assignment, 'name'>): boolean => BY_DEFINITION[name] !== undefined;

function unlisted(): Assignment[] {
  return values.accepted.filter((each) => !isListed(each));
}

function sweptQueries(): SweepQuery[] {
  return queries.filter(({ name }) => WHOLE || KINDS.includes(name));
}

const levels = COMPATIBILITY_LEVELS.map((value) => [{ name: 'compatibility', value }]);

/** Runs `find` on each query, two at a time. */
async function ofEach(
  some: readonly SweepQuery[],
  find: (query: SweepQuery) => Promise<string[]>,
): Promise<string[]> {
  const waiting = [...some];
  const changes: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      changes.push(...(await find(next)));
  };
  await Promise.all([work(), work()]);
  return changes;
}

test('no setting changes a result', TIMEOUT, async () => {
  const groups = [...groupsOf(unlisted(), WHOLE ? 25 : 200), ...levels];
  const changes = await ofEach(sweptQueries(), async (query) => {
    const findings = await findingsOf(runAs(t, 'analyst'), query, expectedOf(query), groups);
    return findings.map(textOf);
  });
  console.log(
    `swept ${values.count} values of settings x ${sweptQueries().length} views and ` +
      `${levels.length} levels of compatibility: ${values.rejected.length} values were rejected by ClickHouse, ` +
      `${values.accepted.filter(isListed).length} are listed, ${changes.length} others change a result`,
  );
  expect(changes).toEqual([]);
});

test(
  'a listed setting has the same effect as on a table, or fails the query',
  TIMEOUT,
  async () => {
    const groups = values.accepted
      .filter(({ name }) => isListed({ name }) && BY_DEFINITION[name] !== 'speed')
      .map((each) => [each]);
    const changes = await ofEach(sweptQueries(), async (query) => {
      const findings = await findingsOf(runAs(t, 'analyst'), query, expectedOf(query), groups);
      return findings
        .filter(({ settings: [setting], outcome, asOfTable }) => {
          const isError = /^error: (.*Code: \d+|the result is cut short)/s.test(outcome);
          return !isError && !asOfTable && BY_DEFINITION[setting?.name ?? ''] !== 'columns';
        })
        .map(textOf);
    });
    expect(changes).toEqual([]);
  },
);

test('every listed setting exists', () => {
  const names = new Set([...values.accepted, ...values.rejected].map(({ name }) => name));
  expect(Object.keys(BY_DEFINITION).filter((name) => !names.has(name))).toEqual([]);
});
