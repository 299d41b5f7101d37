import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { viewsFormat } from '../../tools/build/views-format.mjs';
import { call, EXECUTED, rowsOf, startTestEngine, type TestEngine } from '../testing/engine.ts';

let t: TestEngine;

beforeAll(async () => {
  t = await startTestEngine();
});

afterAll(() => t[Symbol.asyncDispose]());

const ROW = 'row /local/a a=1';
const count = (commands: string): Promise<unknown[][]> =>
  rowsOf(t.as('analyst'), `SELECT count() FROM ${call('a Nullable(Int64)', commands)}`);

/** ClickHouse's errors for a connection that broke. */
const BROKEN = /EOF|read after eof|Cannot read all data|No message received|reset/;

describe('an error never becomes a short result', () => {
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

/**
 * Length of a prefix of the row that ends within a value, and ClickHouse's errors for no further row, an incomplete row
 * and data after the end.
 */
const CUT = cut();

function cut(): { bytes: number; early: RegExp; within: RegExp; behind: RegExp } {
  const [early, all] = [/read after eof/, /Cannot read all data/];
  if (!EXECUTED) return { bytes: 6, early: BROKEN, within: BROKEN, behind: BROKEN };
  if (viewsFormat() === 'Native') return { bytes: 30, early, within: all, behind: all };
  return { bytes: 6, early, within: /Cannot parse/, behind: /Cannot parse/ };
}

// If only the bridge dies, its wrapper reports it (bridge/faults.ci-test.ts). Here the wrapper itself dies. The resident
// bridge loses its connections.
describe('a script that cannot report its error fails the query', () => {
  test.each([
    ['dies after a row', `${ROW}; kill -9 $$`, CUT.early],
    ['dies within a row', `${ROW} | head -c ${CUT.bytes}; kill -9 $$`, CUT.within],
    ['dies at once', 'kill -9 $$', CUT.early],
    ['ends without an end', `${ROW}; exit 0`, CUT.early],
  ])('a script that %s', async (_, commands, message) => {
    await expect(count(commands)).rejects.toThrow(message);
  });

  test.runIf(EXECUTED)('a script that goes on behind the end', async () => {
    await expect(count(`end; ${ROW}; end`)).rejects.toThrow(CUT.behind);
  });

  test('the query fails even if the client has already received rows', async () => {
    const many = `n=0; while [ $n -lt 2000 ]; do ${ROW}; n=$((n + 1)); done; kill -9 $$`;
    const query = `SELECT * FROM ${call('a Nullable(Int64)', many)}`;
    await expect(rowsOf(t.as('analyst'), query)).rejects.toThrow(CUT.early);
  });
});

test('an error of the query is reported once, for its rows and for its columns', async () => {
  const message = '[/local/a]: no such table: slices (sql_failed)';
  const table = call(`!${message.replace(' (sql_failed)', '')}`, '');
  for (const query of [`SELECT * FROM ${table}`, `DESCRIBE (SELECT * FROM ${table})`]) {
    const error = await rowsOf(t.as('analyst'), query).catch((thrown: Error) => thrown);
    expect(String(error).split(message)).toHaveLength(2);
  }
  expect(await count(`${ROW}; end`)).toEqual([['1']]);
});

test('an invalid structure is named in the error', async () => {
  const table = "bigtrace_as(structure='a Nonsense', traces=['/local/a'], sql='@;;end')";
  await expect(rowsOf(t.as('analyst'), `SELECT * FROM ${table}`)).rejects.toThrow('Nonsense');
});
