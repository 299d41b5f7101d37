/** Tests of the queue for column findings, in virtual time. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ColumnFindingQueue } from './schema-queue.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

const forever = new AbortController().signal;
const queue = (userSchemasMax: number, schemasMax: number): ColumnFindingQueue =>
  new ColumnFindingQueue({ userSchemasMax, schemasMax });

/** Returns an object that receives the outcome of the turn once it is settled. */
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

test('a user at its bound waits while another user is admitted', async () => {
  const turns = queue(1, 8);
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

test('when all turns are taken, free turns go to users in round robin', async () => {
  const turns = queue(9, 1);
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

test('a waiter is refused after 2 s, and at once when no turn of the user has ended for 1 s', async () => {
  const turns = queue(1, 8);
  const refusal =
    'too many column findings are running: 1 of user alice (--user-schemas 1); try again, or pass the columns to bigtrace_as';
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

test('the error names the bound over all users when that one is reached', async () => {
  const turns = queue(9, 1);
  await turns.enter('alice', forever);
  const waiting = watched(turns.enter('bob', forever));
  await vi.advanceTimersByTimeAsync(2000);
  expect(waiting.error).toContain('1 of all users (--max-schemas 1)');
});

test('an aborted waiter leaves the queue', async () => {
  const turns = queue(1, 8);
  const hold = await turns.enter('alice', forever);
  const gone = new AbortController();
  const waiting = watched(turns.enter('alice', gone.signal));
  gone.abort(new Error('gone'));
  await vi.advanceTimersByTimeAsync(0);
  expect(waiting.error).toBe('gone');
  hold();
  expect([turns.running, turns.waiting]).toEqual([0, 0]);
});
