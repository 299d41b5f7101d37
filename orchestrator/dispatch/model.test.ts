/**
 * Queries over a modelled fleet, very many and all different: no row is lost, none comes twice, none waits for
 * ever. BIGTRACE_MODEL_STEPS=200000 runs for that many random steps, BIGTRACE_MODEL_SEED=n begins elsewhere.
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

test(`${STEPS} random steps of workers that do all that can happen`, {
  timeout: 600_000,
}, async () => {
  const seen: Record<string, number> = { steps: 0 };
  let runs = 0;
  for (let seed = SEED; (seen['steps'] ?? 0) < STEPS; seed++) {
    runs += 1;
    for (const [name, count] of Object.entries(await judged(seed)))
      seen[name] = (seen[name] ?? 0) + count;
  }
  // The model is of use only where all of it happens.
  for (const name of ['hedges', 'steals', 'retries', 'streams_broken', 'traces_failed'])
    expect(seen[name], name).toBeGreaterThan(runs / 10);
});
