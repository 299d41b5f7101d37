import { expect, test } from 'vitest';
import { nextSlotState, type SlotEvent, type SlotState } from './slot-state.ts';

function after(...events: SlotEvent[]): SlotState {
  return events.reduce(nextSlotState, { is: 'empty' } as SlotState);
}

const load: SlotEvent = { event: 'load', key: 'a' };
const loadDone: SlotEvent = { event: 'loadDone' };
const query: SlotEvent = { event: 'query', key: 'a', leavesMarks: false };
const mark: SlotEvent = { event: 'query', key: 'a', leavesMarks: true };
const queryDone: SlotEvent = { event: 'queryDone' };

test('a loaded trace serves any number of queries', () => {
  expect(after(load, loadDone, query, queryDone, query, queryDone)).toEqual({
    is: 'loaded',
    key: 'a',
  });
});

test('a slot with marks answers only after it was restored or loaded anew', () => {
  const marked = after(load, loadDone, mark, queryDone);
  expect(marked).toEqual({ is: 'marked', key: 'a' });
  expect(() => nextSlotState(marked, query)).toThrow('a slot that is marked cannot query');
  expect(nextSlotState(marked, { event: 'restored' })).toEqual({ is: 'loaded', key: 'a' });
  expect(nextSlotState(marked, { event: 'load', key: 'b' })).toEqual({ is: 'loading', key: 'b' });
});

test('a failed load leaves nothing to ask', () => {
  const empty = after(load, { event: 'loadFailed' });
  expect(empty).toEqual({ is: 'empty' });
  expect(() => nextSlotState(empty, query)).toThrow('a slot that is empty cannot query');
});

test('a slot answers for no trace but the one it holds', () => {
  const other: SlotEvent = { event: 'query', key: 'b', leavesMarks: false };
  expect(() => after(load, loadDone, other)).toThrow(
    'a slot that holds another trace cannot query',
  );
});

test('a poisoned slot takes another trace, and nothing else', () => {
  const poisoned = after(load, loadDone, query, { event: 'poison' });
  expect(poisoned).toEqual({ is: 'poisoned' });
  expect(() => nextSlotState(poisoned, query)).toThrow('a slot that is poisoned cannot query');
  expect(nextSlotState(poisoned, load)).toEqual({ is: 'loading', key: 'a' });
});

test('one thing at a time, and never a new trace under a running query', () => {
  expect(() => after(load, load)).toThrow('a slot that is loading cannot load');
  expect(() => after(load, loadDone, query, load)).toThrow('a slot that is querying cannot load');
  expect(() => after(load, loadDone, query, query)).toThrow('a slot that is querying cannot query');
});

test('it can end at any moment, once', () => {
  const gone = after(load, { event: 'end', why: 'cancelled' }, { event: 'end', why: 'again' });
  expect(gone).toEqual({ is: 'gone', why: 'cancelled' });
  expect(() => nextSlotState(gone, load)).toThrow('a slot that is gone cannot load');
});
