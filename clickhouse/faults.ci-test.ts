import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { viewsFormat } from '../tools/views-format.mjs';
import { call, rowsOf, startTestEngine, type TestEngine } from './testing/engine.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
});

afterAll(() => t[Symbol.asyncDispose]());

const ROW = 'row /local/a a=1';
const count = (commands: string): Promise<unknown[][]> =>
  rowsOf(t.as('analyst'), `SELECT count() FROM ${call('a Nullable(Int64)', commands)}`);

describe('an error is never a short answer', () => {
  test.each([
    [
      'says why',
      `${ROW}; echo "[/local/b]: not a trace (trace_invalid)" >&2; end; exit 1`,
      '[/local/b]: not a trace (trace_invalid)',
    ],
    ['says why at once', 'echo "no such trace" >&2; end; exit 1', 'no such trace'],
  ])('a script that %s', async (_, commands, message) => {
    await expect(count(commands)).rejects.toThrow(message);
  });
});

// TSV has no sign of its end: where the script itself dies, and not the bridge that it waits for and speaks for
// (bridge/faults.ci-test.ts), ClickHouse takes the rows so far for all of them.
describe.runIf(viewsFormat() === 'Native')('a script that cannot say why is an error, too', () => {
  test.each([
    ['dies after a row', `${ROW}; kill -9 $$`, 'read after eof'],
    ['dies within a row', `${ROW} | head -c 30; kill -9 $$`, 'Cannot read all data'],
    ['dies at once', 'kill -9 $$', 'read after eof'],
    ['ends without an end', `${ROW}; exit 0`, 'read after eof'],
    ['goes on behind the end', `end; ${ROW}; end`, 'Cannot read all data'],
  ])('a script that %s', async (_, commands, message) => {
    await expect(count(commands)).rejects.toThrow(message);
  });

  test('also when rows were already on their way to the client', async () => {
    const many = `n=0; while [ $n -lt 2000 ]; do ${ROW}; n=$((n + 1)); done; kill -9 $$`;
    const query = `SELECT * FROM ${call('a Nullable(Int64)', many)}`;
    await expect(rowsOf(t.as('analyst'), query)).rejects.toThrow('read after eof');
  });
});

test('what is wrong with the query reaches the client of its rows and of its columns, once', async () => {
  const message = '[/local/a]: no such table: slices (sql_failed)';
  const table = call(`!${message.replace(' (sql_failed)', '')}`, '');
  for (const query of [`SELECT * FROM ${table}`, `DESCRIBE (SELECT * FROM ${table})`]) {
    const error = await rowsOf(t.as('analyst'), query).catch((thrown: Error) => thrown);
    expect(String(error).split(message)).toHaveLength(2);
  }
  expect(await count(`${ROW}; end`)).toEqual([['1']]);
});

test('a bad structure is named', async () => {
  const table = "bigtrace_as(structure='a Nonsense', traces=['/local/a'], sql='@;;end')";
  await expect(rowsOf(t.as('analyst'), `SELECT * FROM ${table}`)).rejects.toThrow('Nonsense');
});
