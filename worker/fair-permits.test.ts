import { expect, test } from 'vitest';
import { FairPermits } from './fair-permits.ts';

const never = new AbortController().signal;

test('a single asker is served next, however many another waits for', async () => {
  const permits = new FairPermits(1);
  const first = await permits.acquire('big', never);
  const order: string[] = [];
  const waits = ['big', 'big', 'big', 'small', 'big'].map(async (asker) => {
    const release = await permits.acquire(asker, never);
    order.push(asker);
    release();
  });
  first();
  await Promise.all(waits);
  expect(order).toEqual(['big', 'small', 'big', 'big', 'big']);
  expect(permits.taken).toBe(0);
});

test('never more than there are, and a release counts once', async () => {
  const permits = new FairPermits(2);
  const one = await permits.acquire('a', never);
  await permits.acquire('a', never);
  let granted = false;
  const third = permits.acquire('a', never).then((release) => {
    granted = true;
    return release;
  });
  expect(permits.waiting).toBe(1);
  one();
  one();
  (await third)();
  expect(granted).toBe(true);
  expect(permits.taken).toBe(1);
});

test('who gives up waiting leaves no trace', async () => {
  const permits = new FairPermits(1);
  const release = await permits.acquire('a', never);
  const abort = new AbortController();
  const waiting = permits.acquire('b', abort.signal);
  abort.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await expect(permits.acquire('b', abort.signal)).rejects.toThrow('gone');
  expect(permits.waiting).toBe(0);
  release();
  expect(permits.taken).toBe(0);
});
