/** Turns of column finding, in virtual time. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ColumnFindingQueue } from './schema-queue.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

const forever = new AbortController().signal;
const lane = (userSchemasMax: number, schemasMax: number): ColumnFindingQueue =>
  new ColumnFindingQueue({ userSchemasMax, schemasMax });

/** What became of it, once it is settled. */
function watched(turn: Promise<() => void>): { end?: () => void; error?: string } {
  const state: { end?: () => void; error?: string } = {};
  turn.then(
    (end) => {
      state.end = end;
    },
    (error: Error) => {
      state.error = error.message;
    },
  );
  return state;
}

test('one user waits for its own turns, another one does not', async () => {
  const turns = lane(1, 8);
  const first = await turns.enter('alice', forever);
  const second = watched(turns.enter('alice', forever));
  (await turns.enter('bob', forever))();
  await vi.advanceTimersByTimeAsync(900);
  expect(second).toEqual({});
  first();
  await vi.advanceTimersByTimeAsync(0);
  expect(second.end).toBeDefined();
  second.end?.();
  second.end?.();
  expect([turns.running, turns.waiting]).toEqual([0, 0]);
});

test('where all turns are taken, those of users alternate', async () => {
  const turns = lane(9, 1);
  const holder = await turns.enter('alice', forever);
  const order: string[] = [];
  const take = (name: string, as: string): void =>
    void turns.enter(name, forever).then((end) => {
      order.push(as);
      end();
    });
  for (const at of [1, 2, 3]) take('alice', `alice ${at}`);
  take('bob', 'bob');
  holder();
  await vi.advanceTimersByTimeAsync(0);
  expect(order.indexOf('bob')).toBeLessThanOrEqual(1);
  expect(order).toHaveLength(4);
});

test('who waits too long is refused, and at once where the turns do not move', async () => {
  const turns = lane(1, 8);
  const refusal =
    'too many queries whose columns are being found: 1 of user alice (--user-schemas 1); try again, or name the columns yourself (bigtrace_as)';
  const hold = await turns.enter('alice', forever);
  const waiting = watched(turns.enter('alice', forever));
  await vi.advanceTimersByTimeAsync(2000);
  expect(waiting.error).toBe(refusal);
  const late = watched(turns.enter('alice', forever));
  await vi.advanceTimersByTimeAsync(0);
  expect(late.error).toBe(refusal);
  hold();
  (await turns.enter('alice', forever))();
});

test('the bound over all users is named, too', async () => {
  const turns = lane(9, 1);
  await turns.enter('alice', forever);
  const waiting = watched(turns.enter('bob', forever));
  await vi.advanceTimersByTimeAsync(2000);
  expect(waiting.error).toContain('1 of all users (--max-schemas 1)');
});

test('who goes away waits no more', async () => {
  const turns = lane(1, 8);
  const hold = await turns.enter('alice', forever);
  const gone = new AbortController();
  const waiting = watched(turns.enter('alice', gone.signal));
  gone.abort(new Error('gone'));
  await vi.advanceTimersByTimeAsync(0);
  expect(waiting.error).toBe('gone');
  hold();
  expect([turns.running, turns.waiting]).toEqual([0, 0]);
});
