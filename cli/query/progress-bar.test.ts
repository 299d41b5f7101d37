import { expect, it } from 'vitest';
import { progressLine } from './progress-bar.ts';

const PROGRESS = {
  tracesTotal: 8,
  totalIsFinal: true,
  tracesDone: 1,
  tracesFailed: 1,
  rows: 1200,
  resultBytes: 5000,
  traceBytes: 30_000_000,
  elapsedMs: 2000,
  coreMs: 3140,
  ...{ tracesRemembered: 0, tracesLoaded: 0, tracesRestored: 0, tracesParsed: 1 },
  running: [],
};

it('shows traces, rows, speed, failures and the remaining time', () => {
  expect(progressLine(PROGRESS)).toBe(
    '██████░░░░░░░░░░░░░░░░░░  2/8 traces  1200 rows  15.0 MB/s read  1 failed  6 s left  2.0 s  3.1 core-s',
  );
});

it('shows no remaining time while patterns are being expanded', () => {
  expect(progressLine({ ...PROGRESS, tracesFailed: 0, totalIsFinal: false })).toBe(
    '███░░░░░░░░░░░░░░░░░░░░░  1/8+ traces  1200 rows  15.0 MB/s read  2.0 s  3.1 core-s',
  );
});

it('does not divide by zero at the start', () => {
  const start = { ...PROGRESS, tracesTotal: 0, tracesDone: 0, tracesFailed: 0, rows: 0 };
  expect(progressLine({ ...start, traceBytes: 0, elapsedMs: 0, coreMs: 0 })).toBe(
    '░░░░░░░░░░░░░░░░░░░░░░░░  0/0 traces  0 rows  0.0 s',
  );
});
