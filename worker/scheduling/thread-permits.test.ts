import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type ThreadPermit, type ThreadPermitOptions, ThreadPermits } from './thread-permits.ts';
import type { Turn } from './turns.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

const LONG_MS = 1000;
const never = new AbortController().signal;

/** Acquires permits under a name, and lists the names that hold one. */
class PermitHolders {
  readonly permits: ThreadPermits;
  readonly running: string[] = [];
  readonly #held = new Map<string, ThreadPermit>();

  constructor(options: Partial<ThreadPermitOptions> = {}) {
    const all = { threads: 2, spareThreads: 2, longMs: LONG_MS, hasRoom: () => true, ...options };
    this.permits = new ThreadPermits(all);
  }

  runScript(name: string, turn: Turn): void {
    void this.permits.acquire(turn, never).then((permit) => {
      this.running.push(name);
      this.#held.set(name, permit);
    });
  }

  end(name: string): void {
    this.running.splice(this.running.indexOf(name), 1);
    this.#held.get(name)?.release();
  }

  async after(ms: number): Promise<string[]> {
    await vi.advanceTimersByTimeAsync(ms);
    return [...this.running];
  }
}

const hostile = { user: 'a', query: {} };

test('tasks that run long stop counting, and others run on spare threads', async () => {
  const desk = new PermitHolders();
  for (const name of ['h1', 'h2', 'h3', 'h4', 'h5']) desk.runScript(name, hostile);
  desk.runScript('b1', { user: 'b', query: {} });
  expect(await desk.after(LONG_MS - 1)).toEqual(['h1', 'h2']);
  expect(await desk.after(1)).toEqual(['h1', 'h2', 'b1']);
  desk.end('b1');
  desk.runScript('b2', { user: 'b', query: {} });
  expect(await desk.after(0)).toEqual(['h1', 'h2', 'b2']);
  expect(desk.permits.long).toBeGreaterThan(0);
});

test('a query has at most as many tasks as there are threads, and spare threads are for other queries', async () => {
  const desk = new PermitHolders();
  for (const name of ['h1', 'h2', 'h3', 'h4']) desk.runScript(name, hostile);
  expect(await desk.after(10 * LONG_MS)).toEqual(['h1', 'h2']);
  desk.end('h1');
  expect(await desk.after(0)).toEqual(['h2', 'h3']);
});

test('the last spare thread is for users without a task that runs long', async () => {
  const desk = new PermitHolders();
  for (let query = 0; query < 6; query++) desk.runScript(`h${query}`, { user: 'a', query: {} });
  expect(await desk.after(10 * LONG_MS)).toEqual(['h0', 'h1', 'h2']);
  desk.runScript('b', { user: 'b', query: {} });
  expect(await desk.after(0)).toEqual(['h0', 'h1', 'h2', 'b']);
});

test('a spare thread is used only if there is memory for it, and as soon as there is', async () => {
  let room = false;
  const desk = new PermitHolders({ hasRoom: () => room });
  for (const name of ['h1', 'h2']) desk.runScript(name, hostile);
  desk.runScript('b', { user: 'b', query: {} });
  expect(await desk.after(10 * LONG_MS)).toEqual(['h1', 'h2']);
  room = true;
  expect(await desk.after(LONG_MS)).toEqual(['h1', 'h2', 'b']);
});

test('without spare threads, tasks wait for running ones', async () => {
  const desk = new PermitHolders({ spareThreads: 0 });
  for (const name of ['h1', 'h2']) desk.runScript(name, hostile);
  desk.runScript('b', { user: 'b', query: {} });
  expect(await desk.after(10 * LONG_MS)).toEqual(['h1', 'h2']);
  desk.end('h2');
  expect(await desk.after(0)).toEqual(['h1', 'b']);
  expect(desk.permits.long).toBe(0);
});

test('tasks that ran long and ended leave no state behind', async () => {
  const desk = new PermitHolders();
  for (const name of ['h1', 'h2']) desk.runScript(name, hostile);
  desk.runScript('b', { user: 'b', query: {} });
  await desk.after(2 * LONG_MS);
  for (const name of ['h1', 'b', 'h2']) desk.end(name);
  expect([desk.permits.taken, desk.permits.long, desk.permits.waiting]).toEqual([0, 0, 0]);
  expect(vi.getTimerCount()).toBe(0);
});
