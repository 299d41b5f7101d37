import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';

test('parseAddress splits an address into store and path', () => {
  expect(parseAddress('/gcs/bucket/o/a/b')).toEqual({
    text: '/gcs/bucket/o/a/b',
    store: 'gcs',
    path: 'bucket/o/a/b',
  });
  expect(parseAddress('/local//abs/path').path).toBe('/abs/path');
});

test.each([
  ['', 'trace address is empty'],
  ['local/a', '[local/a]: trace address must start with /'],
  ['/', '[/]: trace address names no store'],
  ['/local', '[/local]: trace address has nothing after /local/'],
  ['/local/', '[/local/]: trace address has nothing after /local/'],
])('parseAddress rejects %j', (text, message) => {
  expect(() => parseAddress(text)).toThrow(message);
});

test('an address that is too long is an error that names the bound and shortens the address', () => {
  expect(parseAddress(`/local/${'['.repeat(8185)}`).path).toHaveLength(8185);
  expect(() => parseAddress(`/local/${'['.repeat(50_000)}`)).toThrow(
    `[/local/${'['.repeat(93)}…]: trace address is 50007 characters long, the bound is 8192`,
  );
  expect(parseAddress(`/where/${'1 + '.repeat(10_000)}1`).store).toBe('where');
});
