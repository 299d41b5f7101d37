import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endless, STOPPED_MS_MAX, untilGone } from './testing/endless.ts';
import { call, rowsOf, startTestEngine, type TestEngine } from './testing/engine.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
});

afterAll(() => t[Symbol.asyncDispose]());

/** What a query fails with. */
function failureOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(() => 'it did not fail', String);
}

test('KILL QUERY ends the script', async () => {
  const { query, pid } = endless(t);
  const answer = rowsOf(t.as('analyst'), query, { queryId: 'to-be-killed' });
  const failure = failureOf(answer);
  const script = await pid();
  await t.as('admin').command({ query: "KILL QUERY WHERE query_id = 'to-be-killed'" });
  expect(await untilGone(script)).toBeLessThan(STOPPED_MS_MAX);
  expect(await failure).toContain('cancelled');
});

test('max_execution_time ends the script', async () => {
  const { query, pid } = endless(t);
  const answer = rowsOf(t.as('analyst'), `${query} SETTINGS max_execution_time = 1`);
  const failure = failureOf(answer);
  const script = await pid();
  expect(await failure).toContain('Timeout exceeded');
  expect(await untilGone(script)).toBeLessThan(STOPPED_MS_MAX);
});

test('a client that goes away ends the script', async () => {
  const { query, pid } = endless(t);
  const gone = new AbortController();
  const failure = failureOf(rowsOf(t.as('analyst'), query, { signal: gone.signal }));
  const script = await pid();
  gone.abort();
  expect(await failure).toContain('abort');
  expect(await untilGone(script)).toBeLessThan(STOPPED_MS_MAX);
});

test('LIMIT does not wait for the rest', async () => {
  const { query, pid } = endless(t);
  const rows = await rowsOf(t.as('analyst'), query.replace('count()', 'a').concat(' LIMIT 1'));
  expect(rows).toEqual([['1']]);
  expect(await untilGone(await pid())).toBeLessThan(STOPPED_MS_MAX);
});

/** A query whose columns are being looked for until `found` is called. */
function columnless(): { query: string; found: () => void } {
  const file = join(t.scratch, `found-${crypto.randomUUID()}`);
  return {
    query: `SELECT * FROM ${call(`~${file}`, 'end')}`,
    found: () => writeFileSync(file, ''),
  };
}

const GIVEN_UP = 'SELECT query_id FROM bigtrace.given_up';

async function untilGivenUp(queryId: string): Promise<void> {
  while (!(await rowsOf(t.as('default'), GIVEN_UP)).flat().includes(queryId)) await sleep(20);
}

test('a query without columns yet can be seen to be killed', async () => {
  const { query, found } = columnless();
  const failure = failureOf(rowsOf(t.as('analyst'), query, { queryId: 'columns-killed' }));
  const kill = "KILL QUERY WHERE query_id = 'columns-killed'";
  const admin = t.as('admin');
  expect(await rowsOf(t.as('default'), GIVEN_UP)).toEqual([]);
  while ((await rowsOf(admin, kill)).length === 0) await sleep(20);
  await untilGivenUp('columns-killed');
  found();
  expect(await failure).toContain('killed');
});

test('a query without columns yet can be seen to be past its time', async () => {
  const { query, found } = columnless();
  const limited = `${query} SETTINGS max_execution_time = 0.5`;
  const failure = failureOf(rowsOf(t.as('analyst'), limited, { queryId: 'columns-late' }));
  await untilGivenUp('columns-late');
  found();
  expect(await failure).toContain('Timeout exceeded');
});
