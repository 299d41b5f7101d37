import { createServer } from 'node:http';
import { expect, test, vi } from 'vitest';
import { ClickHouse } from '../lib/clickhouse/client.ts';
import { listening } from '../lib/common/network/listening.ts';
import { CatalogStore } from './catalog-store.ts';

test('a listing that ClickHouse does not drop is left after half a minute', async () => {
  const server = createServer(() => {}); // it never answers
  const port = await listening(server, '127.0.0.1:0');
  const store = new CatalogStore(
    new ClickHouse({ url: `http://127.0.0.1:${port}`, username: 'admin', password: '' }),
  );
  const bounds: number[] = [];
  const soon = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    bounds.push(ms);
    return AbortSignal.abort(new Error('the time is over'));
  });
  try {
    await expect(store.dropListing('3f1c')).rejects.toThrow('the time is over');
    expect(bounds).toEqual([30_000]);
  } finally {
    soon.mockRestore();
    await store.close();
    server.close();
    server.closeAllConnections();
  }
});
