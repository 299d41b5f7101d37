/** Tests that a trace has one canonical address, whichever address a query uses for it. */
import { expect, test } from 'vitest';
import type { Script } from '../testing/stub-worker.ts';
import { rowsOf, TestSystem } from '../testing/system.ts';

const ANSWER = ['/local/a/b: rows of /local/a/b'];
/** The listing that a worker's store returns. */
const list = (address: string): string[] =>
  ({
    '/local/a/x/../b': ['/local/a/b'],
    '/gcs/c/o/d%2Fe': ['/gcs/c/o/d/e'],
    '/local/a/*': ['/local/a/b', '/local/a/c'],
  })[address] ?? [];

const NAMES = [
  ...['/local/a//b', '/local/./a/b', '/local//data/traces/a/b', '/local/a/b/', '/local/a/b'],
  '/local/a/x/../b',
];

test('a trace with several names is queried once, and is returned with its canonical address', async () => {
  await using system = await new TestSystem([{ localRoot: '/data/traces', list }]).start();
  expect(rowsOf(await system.query(NAMES))).toEqual(ANSWER);
  expect(rowsOf(await system.query(NAMES.toReversed()))).toEqual(ANSWER);
  expect(rowsOf(await system.query(['/http/HOST:80/%41', '/http/host/A']))).toEqual([
    '/http/host/A: rows of /http/host/A',
  ]);
  expect(rowsOf(await system.query(['/gcs/c/o/d%2Fe', '/gcs/c/o/d/e']))).toEqual([
    '/gcs/c/o/d/e: rows of /gcs/c/o/d/e',
  ]);
  expect(rowsOf(await system.query(['/local//data//traces/a/*', '/local/a/c', ...NAMES]))).toEqual([
    ...ANSWER,
    '/local/a/c: rows of /local/a/c',
  ]);
});

test('a trace with several names is sampled once in column finding', async () => {
  await using system = await new TestSystem([{ localRoot: '/data/traces', list }]).start();
  expect(await system.schema(NAMES)).toMatchObject({ tracesSampled: 1 });
});

test('upstream’s clients get a trace once, with the first name that they sent', async () => {
  const script: Script = ({ trace, rows, fail }) => {
    if (trace === '/local/bad') fail('sql_failed', 'no such table: x');
    else rows(trace, true);
  };
  await using system = await new TestSystem([{ localRoot: '/data/traces', list, script }]).start();
  const named = await system.upstream(['/local//data/traces/a/b', ...NAMES, '/gcs/c/o/d%2Fe']);
  expect(named.map(({ trace, result }) => `${trace}: ${result}`).sort()).toEqual([
    '/gcs/c/o/d%2Fe: /gcs/c/o/d/e',
    '/local//data/traces/a/b: /local/a/b',
  ]);
  await expect(system.upstream(['/local//data/traces/bad'])).rejects.toMatchObject({
    message: '[/local//data/traces/bad]: no such table: x',
  });
});
