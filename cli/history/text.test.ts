import { expect, test } from 'vitest';
import type { Execution } from '../../http-api/queries/history.ts';
import { historyText } from './text.ts';

const ONE: Execution = {
  ...{
    uuid: 'u-1',
    version: 1,
    writtenMs: 0,
    status: 'SUCCESS',
    startMs: 0,
    endMs: 1500,
  },
  user: 'http-user:ann',
  prelude: '',
  perfettoSql: `SELECT\n  name,\t'${'x'.repeat(60)}'`,
  snapshot: {
    settings: [],
    traceFilters: [],
    traceMetadataColumns: [],
    traceOrderBy: '',
    traceLimit: 0,
  },
  ...{ materialized: true, tableName: 'mine', limit: 10, columns: undefined, errorMessage: '' },
  ...{ processedRows: 7, processedTraces: 2, totalTraces: 3 },
  cost: {
    ...{ coreMs: 3140, traceBytes: 1_260_000, tracesRemembered: 1, tracesLoaded: 0 },
    ...{ tracesRestored: 0, tracesParsed: 1 },
  },
};

test('prints one line per query, including running ones', () => {
  const running: Execution = {
    ...ONE,
    uuid: 'u-2',
    status: 'IN_PROGRESS',
    endMs: undefined,
    materialized: false,
    cost: undefined,
  };
  expect(historyText([{ ...running, perfettoSql: 'SELECT 1' }, ONE], 61_000)).toBe(
    [
      'STARTED              USER           STATUS       TOOK    CORES  READ    TRACES  FROM               ROWS  TABLE  SQL                                                           ID',
      '1970-01-01 00:00:00  http-user:ann  IN_PROGRESS  61.0 s                 2/3                        7            SELECT 1                                                      u-2',
      `1970-01-01 00:00:00  http-user:ann  SUCCESS      1.5 s   3.1 s  1.3 MB  2/3     1 result, 1 parse  7     mine   SELECT name, '${'x'.repeat(45)}…  u-1`,
    ].join('\n'),
  );
});

test('prints a message if there are no queries', () => {
  expect(historyText([], 0)).toBe('no query has been sent over HTTP yet');
});
