import { expect, test } from 'vitest';
import { type EngineEvent, type EngineState, nextEngineState } from './engine-state.ts';

function after(...events: EngineEvent[]): EngineState {
  return events.reduce(nextEngineState, { is: 'empty' } as EngineState);
}

const load: EngineEvent = { event: 'load', key: 'a' };
const loadDone: EngineEvent = { event: 'loadDone' };
const query: EngineEvent = { event: 'query', key: 'a', mutatesState: false };
const mark: EngineEvent = { event: 'query', key: 'a', mutatesState: true };
const queryDone: EngineEvent = { event: 'queryDone' };

test('a loaded trace serves any number of queries', () => {
  expect(after(load, loadDone, query, queryDone, query, queryDone)).toEqual({
    is: 'loaded',
    key: 'a',
  });
});

test('an engine with mutated state accepts a query only after a restore or another load', () => {
  const marked = after(load, loadDone, mark, queryDone);
  expect(marked).toEqual({ is: 'dirty', key: 'a' });
  expect(() => nextEngineState(marked, query)).toThrow('an engine that is dirty cannot query');
  expect(nextEngineState(marked, { event: 'restored' })).toEqual({ is: 'loaded', key: 'a' });
  expect(nextEngineState(marked, { event: 'load', key: 'b' })).toEqual({ is: 'loading', key: 'b' });
});

test('a failed load leaves no trace to query', () => {
  const empty = after(load, { event: 'loadFailed' });
  expect(empty).toEqual({ is: 'empty' });
  expect(() => nextEngineState(empty, query)).toThrow('an engine that is empty cannot query');
});

test('an engine rejects a query for another trace than the one it holds', () => {
  const other: EngineEvent = { event: 'query', key: 'b', mutatesState: false };
  expect(() => after(load, loadDone, other)).toThrow(
    'an engine that holds another trace cannot run a query',
  );
});

test('a poisoned engine loads another trace and rejects queries', () => {
  const poisoned = after(load, loadDone, query, { event: 'poison' });
  expect(poisoned).toEqual({ is: 'poisoned' });
  expect(() => nextEngineState(poisoned, query)).toThrow('an engine that is poisoned cannot query');
  expect(nextEngineState(poisoned, load)).toEqual({ is: 'loading', key: 'a' });
});

test('a load or query is rejected while another one runs', () => {
  expect(() => after(load, load)).toThrow('an engine that is loading cannot load');
  expect(() => after(load, loadDone, query, load)).toThrow(
    'an engine that is querying cannot load',
  );
  expect(() => after(load, loadDone, query, query)).toThrow(
    'an engine that is querying cannot query',
  );
});

test('a thread can end in any state, and ends once', () => {
  const gone = after(
    load,
    { event: 'end', reason: 'cancelled' },
    { event: 'end', reason: 'again' },
  );
  expect(gone).toEqual({ is: 'gone', reason: 'cancelled' });
  expect(() => nextEngineState(gone, load)).toThrow('an engine that is gone cannot load');
});
