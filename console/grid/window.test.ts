import { expect, it } from 'vitest';
import { scrollTo, windowOf } from './window.ts';

const view = (scrollTop: number) => ({ scrollTop, height: 200 });

it('has the visible rows and some around them, and the whole height', () => {
  expect(windowOf(view(0), 1000, 20)).toEqual({ first: 0, end: 20, above: 0, below: 980 * 20 });
  expect(windowOf(view(4000), 1000, 20)).toEqual({
    ...{ first: 190, end: 220, above: 190 * 20, below: 780 * 20 },
  });
  expect(windowOf(view(19_800), 1000, 20)).toMatchObject({ first: 980, end: 1000, below: 0 });
});

it('has all rows of a short list', () => {
  expect(windowOf(view(0), 3, 20)).toEqual({ first: 0, end: 3, above: 0, below: 0 });
  expect(windowOf(view(0), 0, 20)).toEqual({ first: 0, end: 0, above: 0, below: 0 });
});

it('reaches the first and the last row of a billion', () => {
  const total = 1_000_000_000;
  expect(windowOf(view(0), total, 20).first).toBe(0);
  const last = windowOf(view(8_000_000 - 200), total, 20);
  expect(last.end).toBe(total);
  expect(last.below).toBe(0);
});

it.each([10, 1000, 1_000_000_000])('scrolls to every row of %d', (total) => {
  for (const row of [0, 1, Math.floor(total / 2), total - 2, total - 1]) {
    const scrollTop = scrollTo(row, view(0), total, 20);
    const { first, end } = windowOf(view(scrollTop), total, 20);
    expect(first).toBeLessThanOrEqual(row);
    expect(end).toBeGreaterThan(row);
  }
});

it('does not scroll to a row that is visible', () => {
  expect(scrollTo(105, view(2000), 1000, 20)).toBe(2000);
});
