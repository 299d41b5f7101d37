/** The URL of the service behind proxies. */
import Fastify, { type LightMyRequestResponse } from 'fastify';
import { expect, test } from 'vitest';
import { baseReader, proxyCheck } from '../base.ts';

async function baseOf(
  headers: Record<string, string>,
  { proxies = [] as string[], publicUrl = undefined as string | undefined } = {},
): Promise<LightMyRequestResponse['body']> {
  const isProxy = proxyCheck(proxies);
  const app = Fastify({ trustProxy: isProxy });
  const read = baseReader(publicUrl, isProxy);
  app.get('/', async (request) => read(request));
  return (await app.inject({ path: '/', headers, remoteAddress: '10.1.2.3' })).body;
}

const FORWARDED = {
  host: 'http-api:5001',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'traces.example',
  'x-forwarded-prefix': '/bigtrace/',
};

test('only trusted proxies say how the service is reached', async () => {
  expect(await baseOf(FORWARDED)).toBe('http://http-api:5001');
  expect(await baseOf(FORWARDED, { proxies: ['10.2.0.0/16', '::1'] })).toBe('http://http-api:5001');
  for (const proxies of [['10.1.2.3'], ['192.168.0.1', '10.0.0.0/8']])
    expect(await baseOf(FORWARDED, { proxies })).toBe('https://traces.example/bigtrace');
});

test('a prefix that is no path is ignored', async () => {
  for (const prefix of ['//evil.example', '/a?b', "/'", '/a b', '/'])
    expect(
      await baseOf({ ...FORWARDED, 'x-forwarded-prefix': prefix }, { proxies: ['10.1.2.3'] }),
    ).toBe('https://traces.example');
});

test('the public URL replaces what requests say', async () => {
  const publicUrl = 'https://other.example/b/';
  expect(await baseOf(FORWARDED, { publicUrl })).toBe('https://other.example/b');
});

test('addresses of IPv4 are recognized in the form of IPv6', () => {
  const isProxy = proxyCheck(['10.0.0.0/8', 'fd00::/8']);
  expect(
    ['::ffff:10.9.9.9', 'fd12::1', '::ffff:11.0.0.1', 'fe80::1', '', undefined].map(isProxy),
  ).toEqual([...[true, true, false, false, false, false]]);
});
