import Fastify from 'fastify';
import { afterAll, expect, test } from 'vitest';
import type { CallOptions } from '../lib/clickhouse/client.ts';
import { type Reader, readerFor, signalOf } from './caller.ts';

const calls: CallOptions[] = [];
const reader = {
  rows: async (_query: string, options: CallOptions) => {
    calls.push(options);
    return [];
  },
} as unknown as Reader;

const app = Fastify();
app.get('/', async (_request, reply) => readerFor(reader, signalOf(reply)).rows('SELECT 1'));
afterAll(() => app.close());

test('the bound on queries that ClickHouse has not ended counts for each address', async () => {
  for (const remoteAddress of ['10.0.0.1', '10.0.0.2'])
    expect((await app.inject({ url: '/', remoteAddress })).statusCode).toBe(200);
  expect(calls.map(({ user }) => user)).toEqual(['address:10.0.0.1', 'address:10.0.0.2']);
});
