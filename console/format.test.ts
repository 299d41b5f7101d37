import { expect, it } from 'vitest';
import { ago, bytes, costTexts, count, counted, duration, oneLine, share } from './format.ts';

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [160_000_000, '153 MiB'],
  [3 * 2 ** 40, '3.0 TiB'],
])('bytes: %d is %s', (value, text) => {
  expect(bytes(value)).toBe(text);
});

it.each([
  [12.4, '12 ms'],
  [2449, '2.4 s'],
  [185_000, '3 min 05 s'],
  [7_620_000, '2 h 07 min'],
])('duration: %d ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

it('formats counts with singular and plural', () => {
  expect(count(1_234_567)).toBe('1,234,567');
  expect([counted(1, 'trace'), counted(0, 'row'), counted(2000, 'query')]).toEqual([
    '1 trace',
    '0 rows',
    '2,000 queries',
  ]);
});

it('formats how long ago a time was', () => {
  expect([ago(1000, 1500), ago(1000, 6900), ago(0, 61_000)]).toEqual([
    'just now',
    '5 s ago',
    '1 min 01 s ago',
  ]);
});

it('limits a share to 1, and returns 0 if the whole is 0', () => {
  expect([share(0, 0), share(1, 4), share(5, 4)]).toEqual([0, 0.25, 1]);
});

it('joins SQL into one line, and truncates it', () => {
  expect(oneLine('SELECT\n  1', 20)).toBe('SELECT 1');
  expect(oneLine('SELECT 12345', 8)).toBe('SELECT …');
});

it('names what a query has cost', () => {
  const tiers = { tracesRemembered: 1000, tracesLoaded: 1, tracesRestored: 0, tracesParsed: 2 };
  expect(costTexts({ coreMs: 2449, traceBytes: 160_000_000, ...tiers })).toEqual([
    ...['2.4 s of engine threads', '153 MiB read'],
    ...['1,000 remembered', '1 loaded before', '2 parsed'],
  ]);
});
