import { expect, test } from 'vitest';
import { isWebUrl, parsedUrl } from './parsed-url.ts';

test('a URL with a letter outside ASCII is parsed each time', () => {
  for (let time = 0; time < 50_000; time++)
    if (parsedUrl('https://é./a')?.host !== 'xn--9ca.') throw new Error(`not at time ${time}`);
});

test('texts that are no URLs, and URLs of other schemes, are told apart', () => {
  expect([parsedUrl(''), parsedUrl('a'), parsedUrl('http://')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(parsedUrl('../b', new URL('http://a/c/d'))?.href).toBe('http://a/b');
  expect(['http://a', 'https://a:1/b', 'ftp://a', 'a', ''].map(isWebUrl)).toEqual([
    ...[true, true],
    ...[false, false, false],
  ]);
});
