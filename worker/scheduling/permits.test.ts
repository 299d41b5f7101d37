import { expect, test } from 'vitest';
import { type Permit, Permits } from './permits.ts';
import type { Turn } from './turns.ts';

const never = new AbortController().signal;
const turn = (user: string, query: object = {}): Turn => ({ user, query });

/**
 * Acquires permits in this order and releases each at once; returns the names in the order in which they were
 * served.
 */
async function served(permits: Permits, first: Permit, turns: [string, Turn][]): Promise<string[]> {
  const order: string[] = [];
  const waits = turns.map(async ([name, one]) => {
    const permit = await permits.acquire(one, never);
    order.push(name);
    permit.release();
  });
  first.release();
  await Promise.all(waits);
  return order;
}

test('a query with one task is served next, however many tasks of another query wait', async () => {
  const permits = new Permits(1);
  const [big, small] = [turn('a'), turn('a')];
  const first = await permits.acquire(big, never);
  const waiting = [big, big, big, small, big].map((one): [string, Turn] => [
    one === big ? 'big' : 'small',
    one,
  ]);
  expect(await served(permits, first, waiting)).toEqual(['big', 'small', 'big', 'big', 'big']);
  expect(permits.taken).toBe(0);
});

test('turns are shared between users before they are shared between queries', async () => {
  const permits = new Permits(1);
  const first = await permits.acquire(turn('other'), never);
  const waiting = [
    ...Array.from({ length: 4 }, (_, at): [string, Turn] => [`a${at}`, turn('a')]),
    ...Array.from({ length: 2 }, (_, at): [string, Turn] => [`b${at}`, turn('b')]),
  ];
  expect(await served(permits, first, waiting)).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'a3']);
});

test('the user who holds fewest permits is served next', async () => {
  const permits = new Permits(3);
  const held = [
    await permits.acquire(turn('a'), never),
    await permits.acquire(turn('a'), never),
    await permits.acquire(turn('b'), never),
  ];
  const order: string[] = [];
  const note = (user: string) => permits.acquire(turn(user), never).then(() => order.push(user));
  const waits = [note('a'), note('b'), note('c')];
  for (const permit of held) {
    permit.release();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(waits);
  expect(order).toEqual(['c', 'a', 'b']);
});

test('no more permits are granted than exist, and a second release does nothing', async () => {
  const permits = new Permits(2);
  const one = await permits.acquire(turn('a'), never);
  await permits.acquire(turn('a'), never);
  let granted = false;
  const third = permits.acquire(turn('a'), never).then((permit) => {
    granted = true;
    return permit;
  });
  expect(permits.waiting).toBe(1);
  one.release();
  one.release();
  (await third).release();
  expect(granted).toBe(true);
  expect(permits.taken).toBe(1);
});

test('an aborted waiter leaves the queue', async () => {
  const permits = new Permits(1);
  const permit = await permits.acquire(turn('a'), never);
  const abort = new AbortController();
  const waiting = permits.acquire(turn('b'), abort.signal);
  abort.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await expect(permits.acquire(turn('b'), abort.signal)).rejects.toThrow('gone');
  expect(permits.waiting).toBe(0);
  permit.release();
  expect(permits.taken).toBe(0);
});

test('an offered permit is revoked for a user who holds two fewer, and for no other', async () => {
  const permits = new Permits(3);
  const revoked: number[] = [];
  for (let at = 0; at < 3; at++) {
    const permit = await permits.acquire(turn('a'), never);
    permit.offer(() => {
      revoked.push(at);
      permit.release();
    });
  }
  void permits.acquire(turn('a'), never);
  expect(revoked).toEqual([]);
  await permits.acquire(turn('b'), never); // a has 2, b has 1
  expect(revoked).toEqual([0]);
  void permits.acquire(turn('b'), never);
  expect(revoked).toEqual([0]);
  await permits.acquire(turn('c'), never);
  expect(revoked).toEqual([0, 1]);
});
