import { expect, test } from 'vitest';
import { MemoryPermits } from './memory-permits.ts';
import type { Turn } from './turns.ts';

const { signal } = new AbortController();
const turnOf = (user: string): Turn => ({ user, query: {} });
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Acquires memory and records when it was granted. */
function wanted(memory: MemoryPermits, log: string[], user: string, bytes: number) {
  return memory.acquire(bytes, turnOf(user), signal).then((permit) => {
    log.push(`${user} ${bytes}`);
    return permit;
  });
}

test('memory is granted as far as it reaches, in turn, and not past the one who is first', async () => {
  const memory = new MemoryPermits(100, 4);
  expect(memory.shareBytes).toBe(25);
  const log: string[] = [];
  const first = await wanted(memory, log, 'a', 60);
  const second = wanted(memory, log, 'a', 70);
  void wanted(memory, log, 'a', 40);
  void wanted(memory, log, 'a', 10);
  void wanted(memory, log, 'b', 60);
  await settled();
  expect(log).toEqual(['a 60']); // 10 would fit, but then the 70 might wait for ever
  expect(memory.waiting).toBe(4);
  first.release();
  await settled();
  expect(log).toEqual(['a 60', 'a 70']);
  (await second).release();
  await settled();
  expect(log.slice(2)).toEqual(['a 40', 'b 60']); // b comes before the last one of a
  expect([memory.takenBytes, memory.waiting]).toEqual([100, 1]);
});

test('memory in use beyond the reservation counts, and a need beyond all memory is met alone', async () => {
  const memory = new MemoryPermits(100, 2);
  const log: string[] = [];
  const first = await wanted(memory, log, 'a', 60);
  first.measure(() => 80);
  const second = wanted(memory, log, 'b', 30);
  const third = wanted(memory, log, 'c', 200);
  await settled();
  expect(log).toEqual(['a 60']);
  first.release();
  first.release();
  (await second).release();
  (await third).release();
  expect(log).toEqual(['a 60', 'b 30', 'c 200']);
});

test('a task that is cancelled leaves the queue, also when it is first', async () => {
  const memory = new MemoryPermits(100, 2);
  const log: string[] = [];
  const first = await wanted(memory, log, 'a', 60);
  const abort = new AbortController();
  const cancelled = memory.acquire(70, turnOf('b'), abort.signal);
  const next = wanted(memory, log, 'c', 40);
  abort.abort(new Error('cancelled'));
  await expect(cancelled).rejects.toThrow('cancelled');
  await next;
  first.release();
  expect(memory.waiting).toBe(0);
});
