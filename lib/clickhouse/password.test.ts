import { ClickHouseError } from '@clickhouse/client';
import { expect, test } from 'vitest';
import { type Auth, Password } from './password.ts';

const rejected = new ClickHouseError({ message: '', code: '516', type: 'AUTHENTICATION_FAILED' });

/** Makes a request that is rejected unless it has the right password. Notes the passwords that it gets. */
function requestOf(right: () => string, seen: string[]): (auth: Auth) => Promise<string> {
  return async ({ password }) => {
    seen.push(password);
    if (password !== right()) throw rejected;
    return 'done';
  };
}

test('a rejected password is read again, and tried once', async () => {
  let inFile = 'old';
  let right = 'old';
  const seen: string[] = [];
  const password = new Password('u', () => inFile);
  const request = requestOf(() => right, seen);
  inFile = 'new'; // ClickHouse still has the old one
  expect(await password.with(request)).toBe('done');
  right = 'new';
  expect(await Promise.all([password.with(request), password.with(request)])).toEqual([
    ...['done', 'done'],
  ]);
  expect(seen).toEqual(['old', 'old', 'old', 'new', 'new']);
  seen.length = 0;
  right = 'third';
  await expect(password.with(request)).rejects.toBe(rejected);
  inFile = 'wrong';
  await expect(password.with(request)).rejects.toBe(rejected);
  inFile = 'third';
  await expect(password.with(request, false)).rejects.toBe(rejected);
  expect(await password.with(request)).toBe('done');
  expect(seen).toEqual(['new', 'new', 'wrong', 'wrong', 'third']);
});

test('the last password is kept while its source has none, and after other errors', async () => {
  let read = (): string => 'first';
  const seen: string[] = [];
  const password = new Password('u', () => read());
  for (const source of [
    () => '',
    (): string => {
      throw new Error('ENOENT');
    },
  ]) {
    read = source;
    await expect(password.with(requestOf(() => 'other', seen))).rejects.toBe(rejected);
  }
  read = () => 'other';
  const unrelated = new Error('unrelated');
  await expect(password.with(() => Promise.reject(unrelated))).rejects.toBe(unrelated);
  expect(password.auth).toEqual({ username: 'u', password: 'first' });
  expect(seen).toEqual(['first', 'first']);
});
