import { expect, it } from 'vitest';
import { RESTARTS_MAX, RESTARTS_WINDOW_MS, restartDelayMs } from './restarts.ts';

it('starts again at once after the first death, and ever later after more', () => {
  const deaths = [1000, 1001, 1002, 1003, 1004];
  const delays = deaths.map((now, at) => restartDelayMs(deaths.slice(0, at + 1), now));
  expect(delays).toEqual([0, 400, 800, 1600, 3200]);
});

it('gives up at one death more than the bound within the window', () => {
  const deaths = Array.from({ length: RESTARTS_MAX + 1 }, (_, at) => 1000 + at);
  expect(restartDelayMs(deaths, 1010)).toBeUndefined();
});

it('forgets deaths that are older than the window', () => {
  const deaths = Array.from({ length: RESTARTS_MAX }, (_, at) => 1000 + at);
  const later = 1000 + RESTARTS_WINDOW_MS * 2;
  expect(restartDelayMs([...deaths, later], later)).toBe(0);
});
