/** Traces whose names are not UTF-8 are materialized as others are. test/e2e has the tests with ClickHouse. */
import { expect, test, vi } from 'vitest';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { openDatabase } from '../queries/database.ts';
import { parseSettings } from '../settings.ts';
import { materialize } from './materialize.ts';

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
