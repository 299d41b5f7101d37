/** Queries over a modelled fleet, very many and all different: no row is lost, none comes twice. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { BigtraceError } from '../common/errors.ts';
import type { Limits } from '../proto/messages.ts';
import { Counters } from './counters.ts';
import type { QueryGround } from './execute.ts';
import { FailureLog } from './failure-log.ts';
import { PlacementMemory } from './placement-memory.ts';
import { QueryRun, type Sink } from './query-run.ts';
import { RunningQueries } from './running.ts';
import { Mean } from './steal.ts';
import { Dice, type Habits, ModelFleet } from './testing/model.ts';
import { traceDigest } from './trace-set.ts';
import type { FoundTrace } from './trace-source.ts';

const RUNS = Number(process.env['BIGTRACE_MODEL_RUNS'] ?? 100);
/** Virtual; no query of the model has reason to take as long. */
const RUN_MS_MAX = 600_000;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
  });
});
afterEach(() => vi.useRealTimers());

/** Holds what came, and makes the query wait now and then. */
class ModelSink implements Sink {
  readonly #dice: Dice;
  readonly rowsOf = new Map<string, { result: string; last: boolean }[]>();
  readonly failuresOf = new Map<string, string[]>();
  onDrain: () => void = () => undefined;
  #full = false;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  rows(trace: Buffer, result: Buffer, last: boolean): void {
    const key = trace.toString();
    const rows = this.rowsOf.get(key) ?? [];
    this.rowsOf.set(key, [...rows, { result: result.toString(), last }]);
  }

  types(): void {
    throw new Error('nobody asked for types');
  }

  failure(trace: Buffer, { code }: BigtraceError): void {
    const key = trace.toString();
    this.failuresOf.set(key, [...(this.failuresOf.get(key) ?? []), code]);
  }

  flush(): boolean {
    if (!this.#full && this.#dice.chance(0.02)) {
      this.#full = true;
      setTimeout(() => {
        this.#full = false;
        this.onDrain();
      }, this.#dice.below(60));
    }
    return !this.#full;
  }
}

function habitsOf(dice: Dice): Habits {
  const rarely = (): number => (dice.chance(0.4) ? 0 : dice.next() * (dice.chance(0.2) ? 1 : 0.3));
  const badOnes = rarely() / 3;
  const chunks = new Map<string, string[] | undefined>();
  return {
    dice,
    ...{ slow: rarely(), flaky: rarely() / 2, breaks: rarely(), drains: rarely() },
    hangs: rarely() / 2,
    chunksOf: (trace) => {
      if (!chunks.has(trace)) {
        const count = dice.chance(0.4) ? 1 : 1 + dice.below(5);
        const answer = Array.from({ length: count }, (_, at) => `${at} of ${trace}`);
        chunks.set(trace, dice.chance(badOnes) ? undefined : answer);
      }
      return chunks.get(trace);
    },
  };
}

async function* sourceOf(traces: string[], dice: Dice): AsyncGenerator<FoundTrace[]> {
  for (let at = 0; at < traces.length; ) {
    const batch = traces.slice(at, at + 1 + dice.below(40));
    at += batch.length;
    if (dice.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, dice.below(50)));
    yield batch.map((name) => {
      const trace = Buffer.from(name);
      return { trace, digest: traceDigest(trace) };
    });
  }
}

function groundOf(fleet: ModelFleet, dice: Dice): QueryGround {
  const coldMs = new Mean();
  coldMs.add(dice.below(10));
  return {
    ...{ fleet: fleet.asFleet, coldMs, memory: new PlacementMemory(), counters: new Counters() },
    ...{ failures: new FailureLog(), running: new RunningQueries(), workerWaitMs: 60_000 },
    tracesInFlightMax: dice.chance(0.2) ? 3 : 0,
    hedgeAfterMs: dice.chance(0.7) ? 1 + dice.below(60) : 0,
  };
}

const LIMITS: Limits = {
  ...{ timeoutMs: 0, resultRowsMax: 0, resultBytesMax: 0, traceBytesMax: 0, memoryBytesMax: 0 },
};

/** Runs one query of the model to its end, and judges it. */
async function judged(seed: number): Promise<Record<string, number>> {
  const dice = new Dice(seed);
  const habits = habitsOf(dice);
  const fleet = new ModelFleet(habits, 1 + dice.below(4));
  const ground = groundOf(fleet, dice);
  const lenient = dice.chance(0.7);
  const sink = new ModelSink(dice);
  const spec = { queryId: 'q', user: '', sql: Buffer.from('x'), limits: LIMITS, lenient };
  const run = new QueryRun({ ...spec, mode: 'ROWS', traceContext: undefined }, ground, sink);
  const traces = Array.from({ length: 1 + dice.below(120) }, (_, at) => `/local/${seed}/${at}`);
  let end: { error?: unknown } | undefined;
  run.run(sourceOf(traces, dice)).then(
    () => {
      end = {};
    },
    (error: unknown) => {
      end = { error };
    },
  );
  const giveUp = performance.now() + RUN_MS_MAX;
  while (end === undefined && performance.now() < giveUp) await vi.advanceTimersByTimeAsync(50);
  vi.clearAllTimers();
  const about = `seed ${seed}`;
  expect(end, `${about}: it did not end`).toBeDefined();
  expect(fleet.misuses, about).toEqual([]);
  for (const trace of traces) {
    const rows = sink.rowsOf.get(trace) ?? [];
    const failures = sink.failuresOf.get(trace) ?? [];
    const whole = (habits.chunksOf(trace) ?? []).map((result, at, { length }) => ({
      ...{ result, last: at === length - 1 },
    }));
    // Whatever became of it, what was passed on is the beginning of the answer.
    expect(rows, `${about}, ${trace}`).toEqual(whole.slice(0, rows.length));
    if (end?.error !== undefined) continue;
    const isWhole = rows.length > 0 && rows.length === whole.length;
    expect(failures, `${about}, ${trace}`).toHaveLength(isWhole ? 0 : 1);
  }
  const { tracesDone, tracesFailed } = run.tally;
  if (end?.error === undefined) expect(tracesDone + tracesFailed, about).toBe(traces.length);
  else if (!lenient) expect(end.error, about).toMatchObject({ trace: expect.any(String) });
  else expect(end.error, about).toMatchObject({ code: 'all_failed' });
  expect(run.load, about).toMatchObject(end?.error === undefined ? { inFlight: 0 } : {});
  return ground.counters.all();
}

test(`${RUNS} queries over workers that do all that can happen`, async () => {
  const seen: Record<string, number> = {};
  const first = Number(process.env['BIGTRACE_MODEL_SEED'] ?? 1);
  for (let seed = first; seed < first + RUNS; seed++)
    for (const [name, count] of Object.entries(await judged(seed)))
      seen[name] = (seen[name] ?? 0) + count;
  // The model is of use only where all of it happens.
  for (const name of ['hedges', 'steals', 'retries', 'streams_broken', 'traces_failed'])
    expect(seen[name], name).toBeGreaterThan(RUNS / 10);
});
