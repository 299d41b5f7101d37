import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromServiceError } from '../../lib/common/call-errors.ts';
import { rowsOf } from '../../lib/query-result/index.ts';
import { type TestWorker, testWorker } from '../testing/worker.ts';

let shared: TestWorker;

beforeAll(async () => {
  shared = await testWorker();
});
afterAll(() => shared?.[Symbol.asyncDispose]());

test("QueryTrace returns the trace's address and its rows", async () => {
  const trace = '/local/recorded/linux/compile-c.pftrace';
  const response = await shared.client.queryTrace(trace, 'SELECT count(*) AS n FROM sched');
  expect(response.trace?.toString()).toBe(trace);
  expect(rowsOf(response.result)).toEqual([[3321n]]);
});

test('all spellings of an address share a cache entry, and the response has the requested spelling', async () => {
  const directory = '/local/recorded/linux';
  await shared.client.queryTrace(`${directory}/compile-c.pftrace`, 'SELECT 1');
  const parsedSoFar = async () => (await shared.client.status()).counters['tier_parse'];
  const parsed = await parsedSoFar();
  const [root] = (await shared.client.status()).localRoot ?? [];
  for (const name of [
    `${directory}//./compile-c.pftrace`,
    `${directory}/../linux/compile-c.pftrace`,
    `/local/${root}/recorded/linux/compile-c.pftrace`,
  ]) {
    expect((await shared.client.queryTrace(name, 'SELECT 2')).trace?.toString()).toBe(name);
    expect(await parsedSoFar()).toBe(parsed);
  }
});

test('a script that mutates state does not affect the next one', async () => {
  const trace = '/local/recorded/linux/gzip-cpu.pftrace';
  const script = 'CREATE PERFETTO TABLE foo AS SELECT 7 AS x; SELECT x FROM foo';
  for (let i = 0; i < 3; i++) expect(await shared.client.rows(trace, script)).toEqual([[7n]]);
});

const { INVALID_ARGUMENT, INTERNAL, PERMISSION_DENIED } = grpc.status;

test.each([
  ['', INVALID_ARGUMENT, 'trace address is empty'],
  ['local/x', INVALID_ARGUMENT, '[local/x]: trace address must start with /'],
  ['/nowhere/x', INVALID_ARGUMENT, '[/nowhere/x]: there is no store /nowhere/'],
  ['/local/', INVALID_ARGUMENT, '[/local/]: trace address has nothing after /local/'],
  ['/local/none.pftrace', INTERNAL, '[/local/none.pftrace]: the trace does not exist'],
  ['/local/../../../etc/passwd', PERMISSION_DENIED, '[/local/../../../etc/passwd]: '],
  [
    '/local/bad/text.txt',
    INTERNAL,
    '[/local/bad/text.txt]: Trace parse failure (Unknown trace type',
  ],
  [
    '/local/bad/gz-header-only.gz',
    INTERNAL,
    '[/local/bad/gz-header-only.gz]: GZIP stream incomplete',
  ],
  [
    '/local/bad/proto-compressed-nested.pftrace',
    INTERNAL,
    '[/local/bad/proto-compressed-nested.pftrace]: TraceProcessor crashed (unreachable): ',
  ],
])('%j is refused with its status', async (trace, status, message) => {
  const failure = shared.client.queryTrace(trace, 'SELECT 1');
  await expect(failure).rejects.toMatchObject({
    code: status,
    details: expect.stringContaining(message),
  });
});

test('a SQL error is INTERNAL and carries the engine’s message and the trace', async () => {
  const trace = '/local/recorded/linux/gzip-cpu.pftrace';
  const thrown = await shared.client.queryTrace(trace, 'SELECT nope FROM sched').catch((e) => e);
  expect(thrown.code).toBe(INTERNAL);
  const error = fromServiceError(thrown, 'internal');
  expect(error.code).toBe('sql_failed');
  expect(error.trace).toBe(trace);
  expect(error.detail).toContain('no such column: nope');
});

test('a request without SQL is INVALID_ARGUMENT', async () => {
  const failure = shared.client.queryTrace('/local/recorded/linux/gzip-cpu.pftrace', '');
  await expect(failure).rejects.toMatchObject({
    code: INVALID_ARGUMENT,
    details: 'the query has no SQL',
  });
});

test('a literal of 9 MB is accepted, and SQL beyond the limit is an error with the limit and the trace', async () => {
  const trace = '/local/recorded/linux/gzip-cpu.pftrace';
  const literal = (bytes: number): string => `SELECT length('${'x'.repeat(bytes)}')`;
  expect(await shared.client.rows(trace, literal(9_000_000))).toEqual([[9_000_000n]]);
  await expect(shared.client.queryTrace(trace, literal(2 ** 25))).rejects.toMatchObject({
    code: grpc.status.RESOURCE_EXHAUSTED,
    details: `[${trace}]: SQL is 33554449 bytes long, the bound is 33554432`,
  });
});
