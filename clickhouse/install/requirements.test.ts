import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import { ClickHouse } from '../../lib/clickhouse/client.ts';
import { listening } from '../../lib/common/network/listening.ts';
import { replicationOf, requireVersion } from './requirements.ts';

/** What requireVersion() does if ClickHouse answers so. */
async function outcome(answer: string, status = 200): Promise<string> {
  const server = createServer(async (request, response) => {
    const isAsked = (await text(request)) === 'SELECT version()';
    const isLoggedIn = request.headers.authorization === `Basic ${btoa('admin:secret')}`;
    response.writeHead(isAsked && isLoggedIn ? status : 400).end(answer);
  });
  const port = await listening(server, '127.0.0.1:0');
  const login = { url: `http://127.0.0.1:${port}`, username: 'admin', password: 'secret' };
  try {
    await requireVersion(login);
    return 'passes';
  } catch (error) {
    return String(error).replace(String(port), 'PORT');
  } finally {
    server.close();
  }
}

test('an old ClickHouse is refused with the version that is needed', async () => {
  expect(await outcome('18.16.1\n')).toContain(
    'http://127.0.0.1:PORT is ClickHouse 18.16.1, but the views need 26.5 or later; they were tested with 26.7',
  );
  expect(await outcome('26.4.4.12\n')).toContain('is ClickHouse 26.4.4.12, but');
});

test.each(['26.5.1.1', '26.12.1.1', '26.7.2.1', '27.1'])('%s passes', async (version) => {
  expect(await outcome(`${version}\n`)).toBe('passes');
});

test('what is no version passes: the next statement says what is wrong', async () => {
  expect(await outcome('no ClickHouse')).toBe('passes');
  expect(await outcome('18.16.1', 500)).toBe('passes');
  await requireVersion({ url: 'http://127.0.0.1:1', username: '', password: '' });
});

test('a Replicated database needs --replicated, and one shard', async () => {
  const client = new ClickHouse({ url: 'http://127.0.0.1:1', username: '', password: '' });
  const rows = vi.spyOn(client, 'rows').mockResolvedValue([['Atomic']]);
  const shards = vi.spyOn(client, 'count').mockResolvedValue(1);
  const chosen = (replicated?: boolean): Promise<string> =>
    replicationOf(client, { dryRun: false, ...(replicated === undefined ? {} : { replicated }) });
  expect([await chosen(false), await chosen(true), await chosen()]).toEqual([
    'none',
    'named',
    'none',
  ]);
  rows.mockResolvedValue([['Replicated']]);
  await expect(chosen(false)).rejects.toThrow('pass --replicated');
  expect([await chosen(true), await chosen()]).toEqual(['database', 'database']);
  shards.mockResolvedValue(2);
  await expect(chosen(true)).rejects.toThrow('with 2 shards, which would have other rows');
  // Those of a cluster of the same name in the configuration do not count.
  expect(shards.mock.lastCall?.[0]).toContain("database_shard_name != ''");
  rows.mockRejectedValue(new Error('refused'));
  await expect(chosen(true)).rejects.toThrow('refused');
  expect(await replicationOf(client, { replicated: true, dryRun: true })).toBe('named');
  await client.close();
});
