import { expect, test, vi } from 'vitest';
import { ClickHouse } from './client.ts';
import { onAllServers } from './replicated.ts';

test('an insert waits for the servers that are up; without replication, system.replicas is not read', async () => {
  const client = new ClickHouse({ url: 'http://127.0.0.1:1', username: '', password: '' });
  let engine: string[][] = [['MergeTree']];
  let servers = '2';
  vi.spyOn(client, 'rows').mockImplementation(async (query) => {
    if (query.includes('FROM system.tables')) return engine;
    if (engine[0]?.[0] === 'MergeTree') throw new Error('not every user may read system.replicas');
    return [[servers]];
  });
  const settings = (): Promise<object> => onAllServers('bigtrace_results', 't_rows', client);
  expect(await settings()).toEqual({});
  engine = [];
  expect(await settings()).toEqual({});
  engine = [['ReplicatedMergeTree']];
  expect(await settings()).toEqual({
    insert_quorum: '2',
    insert_quorum_parallel: '1',
    insert_quorum_timeout: '60000',
  });
  servers = '1';
  expect(await settings()).toEqual({});
  await client.close();
});
