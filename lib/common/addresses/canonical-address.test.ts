import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalAddress } from './canonical-address.ts';

const ROOTS = ['/data/traces', '/mnt/real'];

test.each([
  ['/local/a/b', '/local/a/b'],
  ['/local/a//b', '/local/a/b'],
  ['/local/./a/././b/', '/local/a/b'],
  ['/local//data/traces/a', '/local/a'],
  ['/local//data//./traces/a/b', '/local/a/b'],
  ['/local///mnt/real/a', '/local/a'],
  ['/local//data/traces/**/*.pftrace', '/local/**/*.pftrace'],
  ['/local/a//{b,c}', '/local/a/{b,c}'],
  ['/local/.hidden/..x/...', '/local/.hidden/..x/...'],
  ['/local/%41', '/local/%41'],
  ['/s3/b/a//./b%41', '/s3/b/a//./b%41'],
  ['/gcs/b/o/a//b', '/gcs/b/o/a//b'],
  ['/gcs/b/o/100%', '/gcs/b/o/100%'],
  ['/http/Example.ORG:80/a', '/http/example.org/a'],
  ['/http/example.org:8080/%41%7e%2f%c3%a9', '/http/example.org:8080/A~%2F%C3%A9'],
  ['/https/example.org/a/./b/../é', '/https/example.org/a/%C3%A9'],
  ['/https/example.org/a?b=%7e&c=//', '/https/example.org/a?b=%7e&c=//'],
  ['/https/example.org', '/https/example.org/'],
  ['/https/a b/c', '/https/a b/c'],
])('the canonical address of %s is %s', (text, address) => {
  expect(canonicalAddress(text, ROOTS)).toEqual({ address, needsStore: false });
});

test.each([
  ['/local/a/../b', '/local/a/../b'],
  ['/local/..', '/local/..'],
  ['/local//data/traces/x//../b', '/local/x/../b'],
  ['/local//data/traces', '/local//data/traces'],
  ['/local//data/traces2/a', '/local//data/traces2/a'],
  ['/gcs/b/o/a%2Fb', '/gcs/b/o/a%2Fb'],
])('the canonical address of %s needs the store', (text, address) => {
  expect(canonicalAddress(text, ROOTS)).toEqual({ address, needsStore: true });
});

test('the canonical address of a canonical address is itself', () => {
  const piece = fc.constantFrom(
    'a',
    '/',
    '/',
    '.',
    '..',
    '%41',
    '%2f',
    'é',
    ' ',
    '?',
    '#',
    '*',
    '{',
    '\\',
  );
  const store = fc.constantFrom('local', 'http', 'https', 's3', 'gcs', 'other');
  fc.assert(
    fc.property(store, fc.array(piece, { minLength: 1, maxLength: 12 }), (name, pieces) => {
      const { address } = canonicalAddress(`/${name}/${pieces.join('')}`, ROOTS);
      expect(canonicalAddress(address, ROOTS).address).toBe(address);
    }),
    { numRuns: 5000 },
  );
});
