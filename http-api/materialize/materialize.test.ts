/** Traces whose names are not UTF-8 are materialized as others are. test/e2e has the tests with ClickHouse. */
import { expect, test, vi } from 'vitest';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { openDatabase } from '../queries/database.ts';
import { parseSettings } from '../settings.ts';
import { materialize } from './materialize.ts';
import { MaterializedTable } from './materialized-table.ts';

const hex = (text: string): string => bytesFromText(text).toString('hex').toUpperCase();

/** What a ClickHouse has been asked to insert, whose catalog has these traces, of which some fail. */
function standIn(traces: readonly string[], failing: readonly string[]) {
  const database = openDatabase({ url: 'http://127.0.0.1:1', username: '', password: '' });
  const inserted: string[] = [];
  const ledger: unknown[] = [];
  let listings = 0;
  vi.spyOn(database, 'rows').mockImplementation(async (query) => {
    if (query.startsWith('DESCRIBE')) return [['n', 'Int64']];
    if (query.includes('generateSnowflakeID')) return [['1']];
    if (query.startsWith('SELECT DISTINCT')) return failing.map((one) => [hex(one)]);
    if (query.includes('bigtrace.failures')) return failing.map((one) => [hex(one), 'cut']);
    if (!query.includes('FROM bigtrace.traces')) return [];
    listings += 1;
    if (listings > 2) throw new Error('the last batch is listed again');
    // The bytes of the last address, and not the character that JSON has instead of them.
    const isAfter = query.includes(String.raw`address > '/local/b\xff'`);
    return isAfter ? [] : traces.map((one) => [hex(one), 'g']);
  });
  vi.spyOn(database, 'command').mockImplementation(async (sql) => {
    if (sql.startsWith('INSERT')) inserted.push(sql);
  });
  vi.spyOn(database, 'insert').mockImplementation(async (_table, _columns, batches) => {
    for await (const batch of batches) ledger.push(...batch.map(([, address]) => address));
  });
  return { database, inserted, ledger };
}

test('each batch follows the bytes of the last address, and a failed trace is not recorded as done', async () => {
  const traces = ['/local/a\udc80', '/local/b\udcff'];
  const { database, inserted, ledger } = standIn(traces, ['/local/a\udc80']);
  const settings = parseSettings([{ setting_id: 'traces', values: ['/local/*'] }]);
  const plan = { name: 't', sql: 'SELECT 1 AS n', settings, structure: undefined };
  const done = await materialize(plan, database, () => {});
  expect(done).toEqual({ asked: 2, failed: 1, firstFailure: 'cut' });
  expect(inserted).toHaveLength(1);
  expect(inserted[0]).toContain(String.raw`traces = ['/local/a\x80', '/local/b\xff']`);
  expect(ledger).toEqual(['/local/b\udcff']);
  await database.close();
});

/** What a table with so many replaced rows asks ClickHouse for when they are deleted, after runs of which one had failures. */
async function removal(replacedRows: number, engine: string) {
  const database = openDatabase({ url: 'http://127.0.0.1:1', username: '', password: '' });
  const replaced = Array.from({ length: replacedRows }, (_, nth) => [
    ...[hex(`/local/${String(nth).padStart(5, '0')}`), '7'],
  ]);
  const queries: string[] = [];
  vi.spyOn(database, 'rows').mockImplementation(async (query) => {
    queries.push(query);
    if (query.includes('FROM system.databases')) return [[engine]];
    if (query.includes('FROM system.tables')) return [['SELECT 1 AS n']];
    if (query.includes('FROM system.columns')) return [['_run', 'UInt64', '1']];
    if (query.includes('GROUP BY run')) return [['18446744073709551606']];
    if (!query.includes('INNER JOIN')) return [];
    return query.includes("'/local/09999'") ? replaced.slice(10_000) : replaced.slice(0, 10_000);
  });
  const deletes: string[] = [];
  vi.spyOn(database, 'command').mockImplementation(async (sql) => {
    if (sql.startsWith('DELETE')) deletes.push(sql);
  });
  const table = await MaterializedTable.find('t', 'SELECT 1 AS n', database);
  await table?.removeReplaced(['8', '9']);
  await database.close();
  return { queries, deletes };
}

const MARKS = 'DELETE FROM bigtrace_results.`t_rows` WHERE _run IN (18446744073709551606)';

test('on one server, replaced rows are deleted by one statement, and rows of failed traces by their run', async () => {
  expect((await removal(0, 'Atomic')).deletes).toEqual([MARKS]);
  const { deletes } = await removal(10_001, 'Atomic');
  expect(deletes).toEqual([MARKS, expect.stringMatching(/ IN \(SELECT .* < l\.run\)$/s)]);
});

test('on several servers, replaced rows are named in bounded lists', async () => {
  const { queries, deletes } = await removal(10_001, 'Replicated');
  const [marks, ...lists] = deletes;
  expect(marks).toBe(MARKS);
  expect(lists).toHaveLength(3); // 128 KiB, the rest of 10,000, and the last one
  expect(lists.at(-1)).toMatch(/ IN \(\('\/local\/10000', 7\)\)$/);
  expect(queries.at(-1)).toContain(
    "r._trace_address >= '/local/09999' AND (r._trace_address, r._run) > ('/local/09999', 7)",
  );
});
