/** Runs queries of several users over a modelled fleet to their end and checks their results. */
import { expect, vi } from 'vitest';
import type { BigtraceError } from '../../lib/common/errors.ts';
import { Counters } from '../../lib/common/observability/counters.ts';
import { createLogger } from '../../lib/common/observability/log.ts';
import { Dice } from '../../lib/common/testing/dice.ts';
import type { Limits } from '../../lib/proto/messages.ts';
import { COUNTERS } from '../counters.ts';
import { PlacementMemory } from '../dispatch/placement-memory.ts';
import { Mean } from '../dispatch/steal.ts';
import { Peers } from '../peers/peers.ts';
import type { QueryContext } from '../query/execute.ts';
import { FailureLog } from '../query/failure-log.ts';
import { QueryRun } from '../query/query-run.ts';
import type { Sink } from '../query/query-spec.ts';
import { RunningQueries } from '../query/running-queries.ts';
import { traceDigest } from '../query/trace-set.ts';
import type { FoundTrace } from '../query/trace-source.ts';
import { Users } from '../query/users.ts';
import { ModelNetwork } from './model-fleet.ts';
import { type Habits, variantsOf } from './model-habits.ts';

/** Virtual time within which every query of the model must end. */
const RUN_MS_MAX = 600_000;
/** Time after which no stream of an ended query may be left: longer than a worker may take to end its side. */
const STREAMS_LEFT_MS = 3000;
/** A trace fails with one of these codes only after this number of attempts. */
const PASSING_CODES = ['store_failed', 'worker_lost', 'draining'];
const ATTEMPTS = 3;
/** Far longer than a modelled worker is away. */
const WORKER_WAIT_MS = 60_000;

/** Stores the results and failures, and pauses the query at random. */
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
  const endless = dice.chance(0.3) ? 0.03 : 0;
  const chunks = new Map<string, string[] | undefined>();
  const never = new Map<string, boolean>();
  return {
    dice,
    ...{ slow: rarely(), flaky: rarely() / 2, breaks: rarely(), drains: rarely() / 2 },
    ...{ hangs: rarely() / 4, dies: rarely() / 4, slowPolls: rarely(), mutes: rarely() },
    changes: dice.chance(0.3) ? rarely() : 0,
    chunksOf: (trace) => {
      if (!chunks.has(trace)) {
        const count = dice.chance(0.4) ? 1 : 1 + dice.below(5);
        const result = Array.from({ length: count }, (_, at) => `${at} of ${trace}`);
        chunks.set(trace, dice.chance(badOnes) ? undefined : result);
      }
      return chunks.get(trace);
    },
    neverLoads: (trace) => {
      if (!never.has(trace)) never.set(trace, dice.chance(endless));
      return never.get(trace) === true;
    },
  };
}

/** A trace source that behaves like a listing: it waits for a usable worker at random. */
async function* sourceOf(
  traces: string[],
  dice: Dice,
  waitWorker: () => Promise<unknown>,
): AsyncGenerator<FoundTrace[]> {
  for (let at = 0; at < traces.length; ) {
    const batch = traces.slice(at, at + 1 + dice.below(40));
    at += batch.length;
    if (dice.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, dice.below(50)));
    if (dice.chance(0.3)) await waitWorker();
    yield batch.map((name) => {
      const trace = Buffer.from(name);
      return { trace, digest: traceDigest(trace) };
    });
  }
}

const BOUNDS = { userQueriesMax: 2, userResultBytesMax: 0, userCoreSecondsMax: 0 };

const LIMITS: Limits = {
  ...{ timeoutMs: 0, resultRowsMax: 0, resultBytesMax: 0, traceBytesMax: 0, memoryBytesMax: 0 },
};

class ModelQuery {
  readonly traces: string[];
  readonly sink: ModelSink;
  readonly run: QueryRun;
  readonly lenient: boolean;
  end: { error?: unknown } | undefined;
  /** Whether the trace source waits for a usable worker. */
  waits = false;

  constructor(context: QueryContext, dice: Dice, at: number, of: string) {
    this.lenient = dice.chance(0.7);
    this.sink = new ModelSink(dice);
    // Queries share traces, so a trace that one query gets barred is barred for the others.
    const directory = `/local/${of}-${dice.below(at + 1)}`;
    this.traces = Array.from({ length: 1 + dice.below(80) }, (_, nth) => `${directory}/${nth}`);
    const { lenient } = this;
    const spec = {
      queryId: `${at}`,
      user: `user${dice.below(2)}`,
      sql: Buffer.from('x'),
      limits: LIMITS,
      lenient,
    };
    this.run = new QueryRun({ ...spec, mode: 'ROWS', traceContext: undefined }, context, this.sink);
    const { signal } = new AbortController();
    const wait = async (): Promise<void> => {
      this.waits = true;
      await context.fleet.waitUsable(WORKER_WAIT_MS, signal);
      this.waits = false;
    };
    this.run.run(sourceOf(this.traces, dice, wait)).then(
      () => {
        this.end = {};
      },
      (error: unknown) => {
        this.end = { error };
      },
    );
  }

  /** @param attempts assignments that were not given back, by trace and query */
  judge(habits: Habits, attempts: ReadonlyMap<string, number>, about: string): void {
    const { end, sink, traces, run, lenient } = this;
    expect(end, `${about}: it did not end`).toBeDefined();
    for (const trace of traces) {
      const rows = sink.rowsOf.get(trace) ?? [];
      const failures = sink.failuresOf.get(trace) ?? [];
      const isWhole = rowsJudged(rows, habits, trace, `${about}, ${trace}`);
      if (end?.error !== undefined) continue;
      expect(failures, `${about}, ${trace}`).toHaveLength(isWhole ? 0 : 1);
      for (const code of failures) this.#judgeFailure(trace, code, habits, attempts, about);
    }
    const { tracesDone, tracesFailed } = run.totals;
    if (end?.error === undefined) expect(tracesDone + tracesFailed, about).toBe(traces.length);
    else if (!lenient) {
      expect(end.error, about).toMatchObject({ trace: expect.any(String) });
      const { trace = '', code } = end.error as BigtraceError;
      this.#judgeFailure(trace, code, habits, attempts, about);
    } else expect(end.error, about).toMatchObject({ code: 'all_failed' });
    expect(run.load, about).toMatchObject(end?.error === undefined ? { inFlight: 0 } : {});
  }

  /** Checks that a trace failed for the reason that its error states. */
  #judgeFailure(
    trace: string,
    code: string,
    habits: Habits,
    attempts: ReadonlyMap<string, number>,
    about: string,
  ): void {
    const key = `${trace} of query ${this.run.spec.queryId}`;
    const reason = `${about}, ${trace}: ${code}`;
    if (code === 'trace_invalid') expect(habits.chunksOf(trace), reason).toBeUndefined();
    else if (code === 'limit_exceeded') expect(habits.neverLoads(trace), reason).toBe(true);
    else if (code === 'trace_changed') expect(habits.changes, reason).toBeGreaterThan(0);
    else {
      expect(PASSING_CODES, reason).toContain(code);
      expect(attempts.get(key), reason).toBeGreaterThanOrEqual(ATTEMPTS);
    }
  }
}

/** Checks that the rows passed on are the first ones of one result. @returns whether they are all of it */
function rowsJudged(
  rows: readonly { result: string; last: boolean }[],
  habits: Habits,
  trace: string,
  about: string,
): boolean {
  const result = habits.neverLoads(trace) ? [] : (habits.chunksOf(trace) ?? []);
  const results = (habits.changes > 0 ? variantsOf(result) : [result]).map((chunks) =>
    chunks.map((result, at) => ({ result, last: at === chunks.length - 1 })),
  );
  const begun = results.map((whole) => whole.slice(0, rows.length));
  expect(begun, about).toContainEqual(rows);
  return rows.at(-1)?.last === true;
}

/** Runs random queries to their end and checks their results. Needs vitest's fake timers. @returns the counters */
export async function judged(seed: number): Promise<Record<string, number>> {
  const dice = new Dice(seed);
  const habits = habitsOf(dice);
  const network = new ModelNetwork(habits, 1 + dice.below(4), 1 + dice.below(2));
  const coldMs = new Mean();
  coldMs.add(dice.below(10));
  const context: QueryContext = {
    ...{
      fleet: network.fleet,
      coldMs,
      memory: new PlacementMemory(),
      counters: new Counters(COUNTERS),
    },
    ...{ failures: new FailureLog(), running: new RunningQueries(), workerWaitMs: WORKER_WAIT_MS },
    peers: new Peers({ peers: [], peerCredentials: {} }, createLogger('test', 'silent')),
    users: new Users(BOUNDS),
    tracesInFlightMax: dice.chance(0.2) ? 3 : 0,
    hedgeAfterMs: dice.chance(0.7) ? 1 + dice.below(60) : 0,
  };
  const started = network.fleet.start();
  await vi.advanceTimersByTimeAsync(500);
  await started;
  const queries = Array.from(
    { length: 1 + dice.below(3) },
    (_, at) => new ModelQuery(context, dice, at, `${seed}`),
  );
  const giveUp = performance.now() + RUN_MS_MAX;
  while (queries.some(({ end }) => end === undefined) && performance.now() < giveUp) {
    await vi.advanceTimersByTimeAsync(50);
    const stalls = network.fleet.usable.length > 0 && queries.some(({ waits }) => waits);
    expect(stalls, `seed ${seed}: a query waits beside a worker that can be used`).toBe(false);
  }
  await vi.advanceTimersByTimeAsync(STREAMS_LEFT_MS);
  expect(network.openStreams, `seed ${seed}: streams of ended queries`).toBe(0);
  const assigned = network.fleet.workers.map(({ tasksAssigned }) => tasksAssigned);
  expect(Math.max(0, ...assigned.map(Math.abs)), `seed ${seed}: tasks of ended queries`).toBe(0);
  network.fleet.close();
  vi.clearAllTimers();
  expect(network.misuses, `seed ${seed}`).toEqual([]);
  for (const query of queries) query.judge(habits, network.attempts, `seed ${seed}`);
  return { ...context.counters.all(), steps: network.steps };
}
