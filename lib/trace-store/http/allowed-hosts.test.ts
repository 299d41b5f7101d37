import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { checkedLookup, checkHost, isPrivate } from './allowed-hosts.ts';

test.each([
  ['8.8.8.8', false],
  ['2001:4860:4860::8888', false],
  ['127.0.0.1', true],
  ['0.0.0.0', true],
  ['10.1.2.3', true],
  ['100.64.0.1', true],
  ['169.254.169.254', true],
  ['172.16.0.1', true],
  ['192.168.1.1', true],
  ['224.0.0.1', true],
  ['::', true],
  ['::1', true],
  ['fe80::1', true],
  ['fd00::1', true],
  ['::ffff:10.0.0.1', true],
  ['64:ff9b::a00:1', true],
])('isPrivate(%s) is %s', (address, expected) => {
  expect(isPrivate(address)).toBe(expected);
});

test.each([
  ['https://a.org/x', ['a.org'], true],
  ['https://A.ORG:443/x', ['a.org'], true],
  ['http://a.org/x', ['a.org:80'], true],
  ['https://a.org:8443/x', ['a.org'], false],
  ['https://a.org:8443/x', ['a.org:8443'], true],
  ['https://b.a.org/x', ['*.a.org'], true],
  ['https://a.org/x', ['*.a.org'], false],
  ['https://nota.org/x', ['a.org', '*.a.org'], false],
  ['https://a.org.evil.net/x', ['a.org'], false],
  ['http://[2001:4860:4860::8888]:81/x', ['[2001:4860:4860::8888]:81'], true],
])('%s with the allowed hosts %j is accepted: %s', (url, hosts, expected) => {
  const check = () => checkHost(new URL(url), { hosts, allowPrivate: false });
  if (expected) expect(check).not.toThrow();
  else
    expect(check).toThrow(/is not allowed; --http-hosts of the workers lists the allowed hosts$/);
});

/** Runs `checkedLookup` with a resolver that returns these addresses for every name. */
const lookupTo = (addresses: string[], allowPrivate = false) => {
  const found: LookupAddress[] = addresses.map((address) => ({ address, family: 4 }));
  const resolve = (_: string, __: object, callback: (error: null, all: LookupAddress[]) => void) =>
    callback(null, found);
  const lookup = checkedLookup({ hosts: [], allowPrivate }, resolve as never);
  return new Promise((done, fail) => {
    lookup('name.org', { all: true }, (error, all) => (error === null ? done(all) : fail(error)));
  });
};

test('the lookup returns the addresses that it checked', async () => {
  expect(await lookupTo(['8.8.8.8'])).toEqual([{ address: '8.8.8.8', family: 4 }]);
  expect(await lookupTo(['10.0.0.1'], true)).toEqual([{ address: '10.0.0.1', family: 4 }]);
});

test('the lookup refuses a name with one private address among public ones', async () => {
  await expect(lookupTo(['8.8.8.8', '10.0.0.1'])).rejects.toThrow(
    'host name.org has a private address, which is not allowed without --http-private',
  );
});
