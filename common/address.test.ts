import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';

test('splits an address into store and path', () => {
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
])('refuses %j', (text, message) => {
  expect(() => parseAddress(text)).toThrow(message);
});
