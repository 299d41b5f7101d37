/**
 * Runs random queries over a model of a fleet, and checks that no row is lost or duplicated and that every query
 * ends. BIGTRACE_MODEL_STEPS sets the number of steps (such as 200000), BIGTRACE_MODEL_SEED the first seed.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { judged } from '../testing/model-run.ts';

const STEPS = Number(process.env['BIGTRACE_MODEL_STEPS'] ?? 30_000);
const SEED = Number(process.env['BIGTRACE_MODEL_SEED'] ?? 1);

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
  });
});
afterEach(() => vi.useRealTimers());

test(`queries stay correct over ${STEPS} random steps of faulty workers`, {
  timeout: 600_000,
}, async () => {
  const seen: Record<string, number> = { steps: 0 };
  let runs = 0;
  for (let seed = SEED; (seen['steps'] ?? 0) < STEPS; seed++) {
    runs += 1;
    for (const [name, count] of Object.entries(await judged(seed)))
      seen[name] = (seen[name] ?? 0) + count;
  }
  // The model proves something only if each of these events occurs.
  for (const name of ['hedges', 'steals', 'retries', 'streams_broken', 'traces_failed'])
    expect(seen[name], name).toBeGreaterThan(runs / 10);
});
