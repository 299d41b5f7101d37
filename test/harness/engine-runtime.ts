/** What executes the engines of the tests: V8, unless the environment names another runtime, as for a worker. */
import type { RuntimeChoice } from '../../lib/engine/index.ts';

export const RUNTIME_UNDER_TEST = {
  runtime: process.env['BIGTRACE_ENGINE_RUNTIME'] ?? 'v8',
  addons: process.env['BIGTRACE_ENGINE_ADDONS'] ?? '',
} as RuntimeChoice;

/** How many random steps a test takes, and the seed. */
export const RANDOM_STEPS = {
  count: Number(process.env['STEPS'] ?? 150),
  seed: Number(process.env['SEED'] ?? 19),
};

/** How many calls a test cancels in each phase; if that was chosen, it measures how long they take to end. */
export const RANDOM_CANCELS = {
  count: Number(process.env['CANCELS'] ?? 4),
  isMeasured: process.env['CANCELS'] !== undefined,
};
