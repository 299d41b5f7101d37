import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OpenSessions } from './open-sessions.ts';

const HOUR = 3_600_000;
let ended: string[];
let sessions: OpenSessions<{ name: string }>;

beforeEach(() => {
  vi.useFakeTimers();
  ended = [];
  sessions = new OpenSessions(2, HOUR, ({ name }) => void ended.push(name));
});

afterEach(() => {
  sessions.clear();
  vi.useRealTimers();
});

test('a session ends after an hour without a request', () => {
  sessions.add('a', { name: 'a' });
  sessions.closed('a');
  vi.advanceTimersByTime(HOUR - 10);
  sessions.opened('a');
  sessions.closed('a');
  vi.advanceTimersByTime(HOUR - 10);
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(20);
  expect(ended).toEqual(['a']);
  expect(sessions.get('a')).toBeUndefined();
});

test('a session with an open stream does not end, however long nothing comes', () => {
  sessions.add('a', { name: 'a' });
  sessions.opened('a');
  sessions.closed('a');
  vi.advanceTimersByTime(10 * HOUR);
  expect(sessions.get('a')).toEqual({ name: 'a' });
  sessions.closed('a');
  vi.advanceTimersByTime(HOUR + 10);
  expect(ended).toEqual(['a']);
});

test('of too many sessions, the one that was silent the longest ends', () => {
  for (const name of ['a', 'b', 'c']) sessions.add(name, { name });
  expect(ended).toEqual(['a']);
});
