import { expect, it } from 'vitest';
import { RESTARTS_MAX, RESTARTS_WINDOW_MS, restartDelayMs } from './restarts.ts';

it('restarts immediately after the first death, and with growing delays after more', () => {
  const deaths = [1000, 1001, 1002, 1003, 1004];
  const delays = deaths.map((now, at) => restartDelayMs(deaths.slice(0, at + 1), now));
  expect(delays).toEqual([0, 400, 800, 1600, 3200]);
});

it('gives up when deaths within the window exceed the limit', () => {
  const deaths = Array.from({ length: RESTARTS_MAX + 1 }, (_, at) => 1000 + at);
  expect(restartDelayMs(deaths, 1010)).toBeUndefined();
});

it('ignores deaths that are older than the window', () => {
  const deaths = Array.from({ length: RESTARTS_MAX }, (_, at) => 1000 + at);
  const later = 1000 + RESTARTS_WINDOW_MS * 2;
  expect(restartDelayMs([...deaths, later], later)).toBe(0);
});
