import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../lib/common/root.ts';
import { byCpu, byTraces, fixed, type Policy } from './autoscaler.ts';
import { readLoad } from './load.ts';
import { type Fleet, type Outcome, simulate } from './simulation.ts';

const FLEET: Fleet = { threads: 4, startS: 60 };
const DAY_S = 86_400;
const DAY = readLoad(join(import.meta.dirname, 'day.tsv'));
const POLICIES = [byTraces(0, 20), byTraces(3, 20), byCpu(3, 20), byCpu(1, 20), fixed(20)];

function lineOf({ policy, workerHours, answerS }: Outcome): string {
  const sorted = [...answerS].sort((one, other) => one - other);
  const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
  const cells = [policy, workerHours.toFixed(1), at(0.5), at(0.95), at(1)];
  return `| ${cells.join(' | ')} |`;
}

test('the table in docs/deploy/kubernetes.md is what the simulation yields', () => {
  const page = readFileSync(join(ROOT, 'docs/deploy/kubernetes.md'), 'utf8');
  for (const policy of POLICIES)
    expect(page).toContain(lineOf(simulate(DAY, policy, FLEET, DAY_S)));
});

const one = { second: 100, traces: 64, secondsPerTrace: 1 };
const run = (policy: Policy, load = [one], seconds = 4000) =>
  simulate(load, policy, FLEET, seconds);

test('a fixed fleet answers as fast as its threads work, and costs its whole time', () => {
  expect(run(fixed(4))).toEqual({
    policy: 'always 4',
    workerHours: (4 * 4000) / 3600,
    answerS: [4],
  });
});

test('from zero, a query waits for the first worker, and the last one goes after the cooldown', () => {
  const { answerS, workerHours } = run(byTraces(0, 20));
  expect(answerS[0]).toBeGreaterThan(FLEET.startS);
  expect(answerS[0]).toBeLessThan(FLEET.startS + 64 / 4);
  expect(workerHours).toBeGreaterThan(900 / 3600);
  expect(workerHours).toBeLessThan((4 * 2000) / 3600);
  expect(run(byTraces(0, 20), [])).toMatchObject({ workerHours: 0 });
});

test('by CPU, a fleet stays at its minimum without load, and grows under load', () => {
  expect(run(byCpu(3, 20), []).workerHours).toBeCloseTo((3 * 4000) / 3600, 9);
  const long = { second: 100, traces: 4000, secondsPerTrace: 1 };
  const [alone = 0] = run(fixed(3), [long]).answerS;
  const [grown = 0] = run(byCpu(3, 20), [long]).answerS;
  expect(alone).toBe(Math.ceil(4000 / 12));
  expect(grown).toBeLessThan(alone);
  expect(grown).toBeGreaterThan(4000 / 80);
});
