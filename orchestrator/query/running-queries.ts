/** Tracks the running calls and queries: bounds their number, reports their state, and cancels them. */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Progress, QueryState } from '../../lib/proto/messages.ts';
import type { QueryRun } from './query-run.ts';
import type { QueryLoad } from './query-spec.ts';
import type { Cost } from './query-totals.ts';

interface RunningQuery {
  queryId: string;
  user: string;
  startedMs: number;
  run: QueryRun;
}

/** Maximum bytes of a query's SQL in its state. */
const SQL_BYTES_MAX = 4000;
/** Number of ended queries whose last progress is kept, and of those whose cost is kept. */
const ENDED_MAX = 1000;

export class RunningQueries {
  readonly #queries = new Set<RunningQuery>();
  /** The last progress of ended queries by id, oldest end first. */
  readonly #ended = new Map<string, Progress>();
  /** What has been spent under the ID of a query, by runs that have ended: column finding, DESCRIBE, earlier attempts. */
  readonly #spent = new Map<string, Cost>();

  /** Adds a running query. @returns a function that removes it */
  add(queryId: string, user: string, run: QueryRun): () => void {
    const query = { queryId, user, startedMs: Date.now(), run };
    this.#queries.add(query);
    run.totals.before = this.#spent.get(queryId) ?? run.totals.before;
    return () => {
      this.#queries.delete(query);
      if (queryId !== '') this.#spend(queryId, run.totals);
      if (run.spec.mode === 'ROWS') keep(this.#ended, queryId, run.totals.progress());
    };
  }

  /** Records what a run has spent; runs with the same ID may overlap. */
  #spend(queryId: string, { coreMs, traceBytes }: Cost): void {
    const before = this.#spent.get(queryId) ?? { coreMs: 0, traceBytes: 0 };
    const all = { coreMs: before.coreMs + coreMs, traceBytes: before.traceBytes + traceBytes };
    keep(this.#spent, queryId, all);
  }

  /**
   * Returns the progress of the newest query with this id, also for a while after its end. Column finding is ignored:
   * when another orchestrator runs the query itself, its progress would be mistaken for the query's.
   */
  progressOf(queryId: string): Progress | undefined {
    const running = [...this.#queries].findLast(
      ({ run, ...query }) => query.queryId === queryId && run.spec.mode === 'ROWS',
    );
    return running?.run.totals.progress() ?? this.#ended.get(queryId);
  }

  /** Cancels the running queries with this id. @returns their number */
  cancel(queryId: string): number {
    const named = [...this.#queries].filter((query) => query.queryId === queryId);
    const error = new BigtraceError('cancelled', `query ${queryId} was cancelled`);
    for (const { run } of named) run.fail(error);
    return named.length;
  }

  states(): QueryState[] {
    return [...this.#queries].map(stateOf);
  }

  /** Returns the load of all queries together. */
  load(): QueryLoad {
    const all = { waiting: 0, inFlight: 0, traceBytes: 0 };
    for (const { run } of this.#queries) {
      const { waiting, inFlight, traceBytes } = run.load;
      all.waiting += waiting;
      all.inFlight += inFlight;
      all.traceBytes += traceBytes;
    }
    return all;
  }
}

/** Sets the value as the newest one, and forgets the oldest above ENDED_MAX. */
function keep<Value>(all: Map<string, Value>, queryId: string, value: Value): void {
  all.delete(queryId);
  all.set(queryId, value);
  const [oldest] = all.keys();
  if (all.size > ENDED_MAX && oldest !== undefined) all.delete(oldest);
}

function stateOf({ queryId, user, startedMs, run }: RunningQuery): QueryState {
  const { sql, mode } = run.spec;
  const progress = run.progress();
  return { queryId, user, startedMs, progress, sql: sql.subarray(0, SQL_BYTES_MAX), mode };
}

/** A call of a client. */
interface Call {
  on(event: 'cancelled', listener: () => void): unknown;
}

export class RunningCalls {
  readonly #max: number;
  readonly #controls = new Set<AbortController>();
  /** Number of running calls that the bound applies to. */
  #counted = 0;
  /** Number of running calls that need workers. */
  #needingWorkers = 0;
  #draining = false;
  #idle: () => void = () => undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#controls.size;
  }

  get needingWorkers(): number {
    return this.#needingWorkers;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Runs a call until its end. `signal` is aborted when the client disconnects or `abortAll` is called.
   * @param bounded whether the bound on the number of calls applies
   * @param needsWorkers whether the call waits for a worker if there is none
   * @throws draining, too_many_queries, and the errors of `work`
   */
  async run(
    call: Call,
    work: (signal: AbortSignal) => Promise<void>,
    { bounded = true, needsWorkers = true } = {},
  ): Promise<void> {
    if (this.#draining) throw shuttingDown();
    if (bounded && this.#counted >= this.#max)
      throw new BigtraceError(
        'too_many_queries',
        `too many queries: ${this.#counted} are running (--max-queries ${this.#max}); try again when one has ended`,
      );
    const control = new AbortController();
    this.#controls.add(control);
    if (bounded) this.#counted += 1;
    if (needsWorkers) this.#needingWorkers += 1;
    call.on('cancelled', () =>
      control.abort(new BigtraceError('cancelled', 'the client cancelled the query')),
    );
    try {
      await work(control.signal);
    } finally {
      this.#controls.delete(control);
      if (bounded) this.#counted -= 1;
      if (needsWorkers) this.#needingWorkers -= 1;
      if (this.#controls.size === 0) this.#idle();
    }
  }

  /** Refuses new calls, and aborts those that still run after `timeoutMs`. Resolves when none runs. */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    if (this.#controls.size === 0) return;
    const timer = setTimeout(() => this.abortAll(), timeoutMs);
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    clearTimeout(timer);
  }

  abortAll(): void {
    this.#draining = true;
    for (const control of this.#controls) control.abort(shuttingDown());
  }
}

function shuttingDown(): BigtraceError {
  return new BigtraceError('draining', 'the orchestrator is shutting down');
}
