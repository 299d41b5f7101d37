import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, rowsOf, startTestEngine, type TestEngine } from './testing/engine.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
});

afterAll(() => t[Symbol.asyncDispose]());

/** Longest time from the end of a query to the end of its script. */
const STOPPED_MS_MAX = 2_000;

let scripts = 0;

/** A query whose script says nothing but heartbeats, for ever. */
function endless(): { query: string; pid: () => Promise<number> } {
  const file = join(t.scratch, `pid-${scripts++}`);
  const beat = 'while printf "1\\t\\t\\\\N\\n"; do sleep 0.3; done';
  const commands = `printf "0\\t/local/a\\t1\\n"; echo $$ >${file}; ${beat}`;
  return {
    query: `SELECT count() FROM ${call('a Nullable(Int64)', commands)}`,
    pid: async () => {
      while (!existsSync(file) || readFileSync(file, 'utf8') === '') await sleep(10);
      return Number(readFileSync(file, 'utf8'));
    },
  };
}

/** What a query fails with. */
function failureOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(() => 'it did not fail', String);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<number> {
  const started = performance.now();
  while (isAlive(pid) && performance.now() - started < 4 * STOPPED_MS_MAX) await sleep(10);
  return performance.now() - started;
}

test('KILL QUERY ends the script', async () => {
  const { query, pid } = endless();
  const answer = rowsOf(t.as('analyst'), query, { queryId: 'to-be-killed' });
  const failure = failureOf(answer);
  const script = await pid();
  await t.as('admin').command({ query: "KILL QUERY WHERE query_id = 'to-be-killed'" });
  expect(await untilGone(script)).toBeLessThan(STOPPED_MS_MAX);
  expect(await failure).toContain('cancelled');
});

test('max_execution_time ends the script', async () => {
  const { query, pid } = endless();
  const answer = rowsOf(t.as('analyst'), `${query} SETTINGS max_execution_time = 1`);
  const failure = failureOf(answer);
  const script = await pid();
  expect(await failure).toContain('Timeout exceeded');
  expect(await untilGone(script)).toBeLessThan(STOPPED_MS_MAX);
});

test('a client that goes away ends the script', async () => {
  const { query, pid } = endless();
  const gone = new AbortController();
  const failure = failureOf(rowsOf(t.as('analyst'), query, { signal: gone.signal }));
  const script = await pid();
  gone.abort();
  expect(await failure).toContain('abort');
  expect(await untilGone(script)).toBeLessThan(STOPPED_MS_MAX);
});

test('LIMIT does not wait for the rest', async () => {
  const { query, pid } = endless();
  const rows = await rowsOf(t.as('analyst'), query.replace('count()', 'a').concat(' LIMIT 1'));
  expect(rows).toEqual([['1']]);
  expect(await untilGone(await pid())).toBeLessThan(STOPPED_MS_MAX);
});
