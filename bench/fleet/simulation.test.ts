import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../lib/common/root.ts';
import costs from './costs.json' with { type: 'json' };
import { fleetTable } from './fleet-table.ts';
import { Dice, jsonTrace, textTrace } from './generator.ts';
import { type Fleet, simulate } from './simulation.ts';

const FLEET: Fleet = { workers: 10, threads: 2, warmUpMs: 0, dollarsPerCoreHour: 0.5 };

test('a query takes as long as its workers need if the orchestrator is fast', () => {
  const outcome = simulate(1000, { orchestratorMs: 0, workerMs: 360 }, FLEET);
  expect(outcome).toEqual({ seconds: 18, coreHours: 0.1, dollars: 0.05, orchestrators: 0 });
});

test('a query takes as long as its orchestrator needs if its workers are fast', () => {
  const { seconds, orchestrators } = simulate(1000, { orchestratorMs: 10, workerMs: 20 }, FLEET);
  expect(seconds).toBeCloseTo(10.02, 9);
  expect(orchestrators).toBe(10);
});

test('every worker warms up once', () => {
  const cold = simulate(20, { orchestratorMs: 0, workerMs: 100 }, { ...FLEET, warmUpMs: 3600 });
  expect(cold.seconds).toBeCloseTo(1.9, 9);
  expect(cold.coreHours).toBeCloseTo((20 * 100 + 10 * 3600) / 3_600_000, 12);
});

test('small traces are the same each time, and all differ', () => {
  for (const [make, bytes] of [
    [textTrace, 10_000],
    [jsonTrace, 4000],
  ] as const) {
    const all = Array.from({ length: 500 }, (_, n) => make(new Dice(n + 1)));
    expect(new Set(all).size).toBe(500);
    expect(make(new Dice(7))).toBe(all[6]);
    for (const text of all) expect(Math.abs(text.length - bytes)).toBeLessThan(bytes / 5);
  }
});

test('the table in docs/PERFORMANCE.md is what the simulation yields', () => {
  expect(readFileSync(join(ROOT, 'docs/PERFORMANCE.md'), 'utf8')).toContain(fleetTable(costs));
});
