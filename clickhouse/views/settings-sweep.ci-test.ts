/**
 * Tests that no setting of a user changes a result, except settings with that purpose. `npm run test:sweep:whole` tests
 * every view, in smaller groups of settings.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestEngine, type TestEngine } from '../testing/engine.ts';
import { type Accepted, acceptedAssignments, askAs } from '../testing/sweep/asking.ts';
import { type Assignment, COMPATIBILITY_LEVELS, groupsOf } from '../testing/sweep/assignments.ts';
import { BY_DEFINITION } from '../testing/sweep/by-definition.ts';
import { makeQueries } from '../testing/sweep/questions.ts';
import { findingsOf, outcomeOf, type SweepQuery, textOf } from '../testing/sweep/sweep.ts';

const WHOLE = process.env['SWEEP'] === 'whole';

const TIMEOUT = { timeout: WHOLE ? 7_200_000 : 600_000 };

/** Views of the shorter sweep: one of each kind. */
const KINDS = ['bigtrace', 'bigtrace_table_as', 'bigtrace_summary', 'failures', 'traces'];

let t: TestEngine;
let questions: SweepQuery[];
/** Expected result of each query, by name. */
const expected = new Map<string, string>();
let values: Accepted;

beforeAll(async () => {
  t = await startTestEngine();
  questions = await makeQueries(t);
  for (const { name, query } of questions)
    expected.set(name, await outcomeOf(askAs(t, 'analyst'), query));
  values = await acceptedAssignments(askAs(t, 'analyst'));
});
afterAll(() => t[Symbol.asyncDispose]());

function expectedOf(question: SweepQuery): string {
  const outcome = expected.get(question.name) ?? '';
  expect(outcome).toMatch(/^{"columns"/);
  return outcome;
}

const isListed = ({ name }: Pick<Assignment, 'name'>): boolean => BY_DEFINITION[name] !== undefined;

function unlisted(): Assignment[] {
  return values.accepted.filter((each) => !isListed(each));
}

function asked(): SweepQuery[] {
  return questions.filter(({ name }) => WHOLE || KINDS.includes(name));
}

const levels = COMPATIBILITY_LEVELS.map((value) => [{ name: 'compatibility', value }]);

/** Runs `find` on each query, two at a time. */
async function ofEach(
  some: readonly SweepQuery[],
  find: (question: SweepQuery) => Promise<string[]>,
): Promise<string[]> {
  const left = [...some];
  const found: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      found.push(...(await find(next)));
  };
  await Promise.all([work(), work()]);
  return found;
}

test('no setting changes a result', TIMEOUT, async () => {
  const groups = [...groupsOf(unlisted(), WHOLE ? 25 : 200), ...levels];
  const found = await ofEach(asked(), async (question) => {
    const findings = await findingsOf(askAs(t, 'analyst'), question, expectedOf(question), groups);
    return findings.map(textOf);
  });
  console.log(
    `swept ${values.count} values of settings x ${asked().length} views and ` +
      `${levels.length} levels of compatibility: ${values.refused.length} values are refused by ClickHouse, ` +
      `${values.accepted.filter(isListed).length} are listed, ${found.length} others change an answer`,
  );
  expect(found).toEqual([]);
});

test(
  'a listed setting has the same effect as on a table, or fails the query',
  TIMEOUT,
  async () => {
    const groups = values.accepted
      .filter(({ name }) => isListed({ name }) && BY_DEFINITION[name] !== 'speed')
      .map((each) => [each]);
    const found = await ofEach(asked(), async (question) => {
      const findings = await findingsOf(
        askAs(t, 'analyst'),
        question,
        expectedOf(question),
        groups,
      );
      return findings
        .filter(({ settings: [setting], outcome, asOfTable }) => {
          const isError = /^error: (.*Code: \d+|the answer is cut short)/s.test(outcome);
          return !isError && !asOfTable && BY_DEFINITION[setting?.name ?? ''] !== 'columns';
        })
        .map(textOf);
    });
    expect(found).toEqual([]);
  },
);

test('every listed setting exists', () => {
  const names = new Set([...values.accepted, ...values.refused].map(({ name }) => name));
  expect(Object.keys(BY_DEFINITION).filter((name) => !names.has(name))).toEqual([]);
});
