import { expect, it } from 'vitest';
import { binsOf, fraction, numbersOf } from './points.ts';

const rows = (...values: (string | null)[]) => ({ rows: values.map((one) => ({ values: [one] })) });

it('leaves out NULL, texts and values that are not finite', () => {
  expect(numbersOf(rows('1', null, 'x', '', 'Infinity', 'NaN', '-2.5'), 0)).toEqual([1, -2.5]);
});

it('counts every number in one bin, also the largest', () => {
  const bins = binsOf([0, 1, 39.9, 40]);
  expect(bins).toHaveLength(40);
  expect(bins[0]).toEqual({ from: 0, to: 1, rows: 1 });
  expect([bins[1]?.rows, bins[39]?.rows]).toEqual([1, 2]);
  expect(bins.at(-1)?.to).toBe(40);
});

it.each([[[]], [[7, 7]], [[-Number.MAX_VALUE, 0, Number.MAX_VALUE]], [[1e-320, 2e-320]]])(
  'has all numbers of %j in its bins',
  (numbers) => {
    const bins = binsOf(numbers);
    expect(bins.reduce((sum, { rows: of }) => sum + of, 0)).toBe(numbers.length);
  },
);

it('places the ends of a range at 0 and 1', () => {
  const range = { least: -Number.MAX_VALUE, most: Number.MAX_VALUE };
  expect([fraction(range.least, range), fraction(0, range), fraction(range.most, range)]).toEqual([
    ...[0, 0.5, 1],
  ]);
  expect(fraction(3, { least: 3, most: 3 })).toBe(0.5);
});
