/** The service reads a database of an older version, which has no table of the parts of manifests. */
import { ClickHouseError } from '@clickhouse/client';
import { expect, test } from 'vitest';
import { BigtraceError, type ErrorCode } from '../../lib/common/errors.ts';
import type { Preset } from '../contract/page.ts';
import { Traces } from './traces.ts';

const PRESET: Preset = {
  ...{ id: 'p', category: 'c', name: 'n', description: 'd', perfettoSql: 'SELECT 1' },
};

/** What ClickHouse answers to a query, by the table that the query names. */
function tracesWith(manifestParts: () => [string, string][]): Traces {
  const rows = async (query: string): Promise<string[][]> => {
    if (query.includes('manifest_parts')) return manifestParts();
    return query.startsWith('DESCRIBE') ? [['label', 'String']] : [['label']];
  };
  const database = { rows, count: async () => 0 };
  return new Traces(database, database);
}

function failing(type: string, code: ErrorCode): () => never {
  return () => {
    const cause = new ClickHouseError({ message: 'why', code: '1', type });
    throw new BigtraceError(code, 'ClickHouse: why', { cause });
  };
}

const lacking = tracesWith(failing('UNKNOWN_TABLE', 'invalid_filter'));

test('without the table, the built-in presets are returned, and the log says so', async () => {
  const lines: unknown[] = [];
  const log = { warn: (...line: unknown[]) => lines.push(line) };
  expect(await lacking.presets([PRESET], log)).toEqual([PRESET]);
  expect(lines).toEqual([[{ err: expect.anything() }, 'the presets of manifests are left out']]);
});

test('without the table, the columns of manifests are visible and have no description', async () => {
  expect((await lacking.schema('')).at(-1)).toEqual({
    ...{ name: 'label', type: 'STRING', defaultVisible: true },
  });
});

test('with the table, columns are as the manifest says', async () => {
  const traces = tracesWith(() => [['label', '{"visible":false,"description":"said"}']]);
  expect((await traces.schema('')).at(-1)).toEqual({
    ...{ name: 'label', type: 'STRING', defaultVisible: false, description: 'said' },
  });
});

test('other errors of ClickHouse are not hidden', async () => {
  const denied = tracesWith(failing('ACCESS_DENIED', 'forbidden'));
  await expect(denied.presets([PRESET], { warn: () => {} })).rejects.toThrow('why');
  await expect(denied.schema('')).rejects.toThrow('why');
});
