import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { columnless, givenUp, untilClientLeft, untilRunning } from '../testing/columnless.ts';
import { endless, untilGone } from '../testing/endless.ts';
import { EXECUTED, rowsOf, startTestEngine, type TestEngine } from '../testing/engine.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
});

afterAll(() => t[Symbol.asyncDispose]());

/** Error codes from ClickHouse's documentation. */
const CANCELLED = { code: '394', type: 'QUERY_WAS_CANCELLED' };
const LATE = { code: '159', type: 'TIMEOUT_EXCEEDED' };

/** Returns the error that a query failed with. */
function failureOf(result: Promise<unknown>): Promise<unknown> {
  return result.then(
    () => 'it did not fail',
    (error: unknown) => error,
  );
}

test('KILL QUERY ends the script', async () => {
  const { query, pid } = endless(t);
  const result = rowsOf(t.as('analyst'), query, { queryId: 'to-be-killed' });
  const failure = failureOf(result);
  const script = await pid();
  await t.as('admin').command({ query: "KILL QUERY WHERE query_id = 'to-be-killed'" });
  await untilGone(script);
  expect(await failure).toMatchObject(CANCELLED);
});

test('max_execution_time ends the script', async () => {
  const { query, pid } = endless(t);
  const result = rowsOf(t.as('analyst'), `${query} SETTINGS max_execution_time = 1`);
  const failure = failureOf(result);
  const script = await pid();
  expect(await failure).toMatchObject(LATE);
  await untilGone(script);
});

test('a client that disconnects ends the script', async () => {
  const { query, pid } = endless(t);
  const abort = new AbortController();
  const failure = failureOf(rowsOf(t.as('analyst'), query, { signal: abort.signal }));
  const script = await pid();
  abort.abort();
  expect(String(await failure)).toContain('abort');
  await untilGone(script);
});

test('LIMIT returns without waiting for the remaining rows', async () => {
  const { query, pid } = endless(t);
  const rows = await rowsOf(t.as('analyst'), query.replace('count()', 'a').concat(' LIMIT 1'));
  expect(rows).toEqual([['1']]);
  await untilGone(await pid());
});

test('a query killed during column finding is visible as given up', async () => {
  const { query, found } = columnless(t);
  const failure = failureOf(rowsOf(t.as('analyst'), query, { queryId: 'columns-killed' }));
  const kill = "KILL QUERY WHERE query_id = 'columns-killed'";
  const admin = t.as('admin');
  await untilRunning(t, 'columns-killed');
  expect(await givenUp(t, 'columns-killed')).toBe(false);
  while ((await rowsOf(admin, kill)).length === 0) await sleep(20);
  await untilClientLeft(t, 'columns-killed');
  found();
  expect(await failure).toMatchObject(CANCELLED);
});

test('a query past its time limit during column finding is visible as given up', async () => {
  const { query, found } = columnless(t);
  const limited = `${query} SETTINGS max_execution_time = 0.5`;
  const failure = failureOf(rowsOf(t.as('analyst'), limited, { queryId: 'columns-late' }));
  await untilClientLeft(t, 'columns-late');
  found();
  expect(await failure).toMatchObject(LATE);
});

test('a client that disconnects during column finding is visible as gone', async () => {
  const { query, found } = columnless(t);
  const abort = new AbortController();
  const options = { queryId: 'columns-left', signal: abort.signal };
  const failure = failureOf(rowsOf(t.as('analyst'), query, options));
  const hasLeft = await untilRunning(t, 'columns-left');
  expect(await hasLeft()).toBe(false);
  abort.abort();
  while (!(await hasLeft())) await sleep(20);
  found();
  expect(String(await failure)).toContain('abort');
});

test('a client that resets its connection during column finding is visible as gone', async () => {
  const { query, found } = columnless(t);
  const { httpAddress, passwords } = t.engine;
  const socket = connect(Number(httpAddress.split(':')[1]), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `POST /?database=bigtrace&query_id=columns-reset HTTP/1.1\r\nHost: ${httpAddress}\r\nX-ClickHouse-User: analyst\r\n` +
      `X-ClickHouse-Key: ${passwords.analyst}\r\nContent-Length: ${query.length}\r\n\r\n${query}`,
  );
  const hasLeft = await untilRunning(t, 'columns-reset');
  expect(await hasLeft()).toBe(false);
  socket.resetAndDestroy();
  await expect.poll(hasLeft, { timeout: 10_000 }).toBe(true);
  found();
});

test.runIf(EXECUTED)('only the bridge sees connections of other users', async () => {
  const { query, found } = columnless(t);
  const failure = failureOf(rowsOf(t.as('analyst'), query, { queryId: 'columns-seen' }));
  await untilRunning(t, 'columns-seen');
  expect(await rowsOf(t.as('analyst'), 'SELECT * FROM bigtrace.query_clients')).toEqual([]);
  found();
  await failure;
});
