/**
 * Runs one query over the fleet: takes traces from a source, dispatches them to workers as tasks, retries those that
 * fail, and passes results and failures to a sink. It is a state machine: every event ends with a call of `#pump`.
 */
import { BigtraceError, isErrorCode } from '../../lib/common/errors.ts';
import type { Progress, RunEvent, TaskRows, TaskStats } from '../../lib/proto/messages.ts';
import { Dispatch, type DispatchContext } from '../dispatch/dispatch.ts';
import { retryDecision, wasAttempt } from '../dispatch/retry.ts';
import { QueryTask } from '../dispatch/task.ts';
import type { WorkerQueue } from '../dispatch/worker-queue.ts';
import { WorkerRun } from '../dispatch/worker-run.ts';
import type { FailureLog } from './failure-log.ts';
import type { QuerySpec, Sink } from './query-spec.ts';
import { QueryTotals } from './query-totals.ts';
import { runningTraces } from './running-traces.ts';
import type { FoundTrace } from './trace-source.ts';
import type { Users } from './users.ts';

/** The state that the runs of all queries share. */
export interface RunGround extends DispatchContext {
  failures: FailureLog;
  users: Users;
}

/** The source is read while at most this number of tasks wait, so that a long list is not held in memory. */
const LOOKAHEAD_TRACES = 2048;
const TICK_MS = 50;

export class QueryRun {
  readonly tally = new QueryTotals();
  readonly #spec: QuerySpec;
  readonly #ground: RunGround;
  readonly #sink: Sink;
  readonly #dispatch: Dispatch;
  #source: AsyncIterator<FoundTrace[]> | undefined;
  #fetching = false;
  /** Number of tasks that have not ended. */
  #unended = 0;
  #paused = false;
  #ended = false;
  /** The last trace failure that was recorded. */
  #recorded: BigtraceError | undefined;
  /** Since when there are tasks but no usable worker, in ms of performance.now(). */
  #strandedAt: number | undefined;
  #tick: NodeJS.Timeout | undefined;
  readonly #settled: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(spec: QuerySpec, ground: RunGround, sink: Sink) {
    this.#spec = spec;
    this.#ground = ground;
    this.#sink = sink;
    const charge = (threadMs: number): void => this.#charge(threadMs);
    this.#dispatch = new Dispatch(ground, (lane) => this.#openRun(lane), charge);
    sink.onDrain = () => this.#drained();
    this.#settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#settled.catch(() => undefined); // it may reject before `run` awaits it
  }

  get spec(): QuerySpec {
    return this.#spec;
  }

  /** The number of tasks that wait for a worker, and of those assigned to one. */
  get load(): { waiting: number; inFlight: number } {
    const { inFlight } = this.#dispatch;
    return { waiting: Math.max(this.#unended - inFlight, 0), inFlight };
  }

  /** Returns the totals, and the traces that have run longest. */
  progress(): Progress {
    return this.tally.progress(runningTraces(this.#dispatch.lanes, this.#spec));
  }

  /** Resolves when every trace of `source` has ended. @throws the error that ended the query */
  async run(source: AsyncIterator<FoundTrace[]>): Promise<void> {
    if (!this.#ended) {
      this.#source = source;
      this.#ground.fleet.on('change', this.#fleetChanged);
      this.#tick = setInterval(() => this.#ticked(), TICK_MS);
      this.#fleetChanged();
    }
    await this.#settled;
  }

  /** Whether the failure log already has this error as the failure of a trace. */
  recorded(error: unknown): boolean {
    return error === this.#recorded && this.#spec.mode === 'ROWS';
  }

  /** Ends the query with an error at once; does nothing when it has ended. */
  fail(error: unknown): void {
    if (!this.#close()) return;
    this.#dispatch.cancelAll();
    this.#reject(error);
  }

  /** Adds engine-thread time to the user's budget, and ends the query when the budget is spent. */
  #charge(threadMs: number): void {
    if (threadMs <= 0) return;
    const error = this.#ground.users.addThreadMs(this.#spec.user, threadMs);
    if (error !== undefined) this.fail(error);
  }

  /** Records an address that stands for no trace. @throws `error` when it ends the query */
  refuse(address: Buffer, error: BigtraceError): void {
    if (!this.#spec.lenient || error.kind !== 'user') throw error;
    this.tally.tracesTotal += 1;
    this.#recordFailure(address, error, 0);
  }

  #finish(): void {
    if (this.#spec.lenient && this.tally.tracesDone === 0) {
      this.fail(this.tally.allFailed());
    } else if (this.#close()) {
      for (const lane of this.#dispatch.lanes) lane.run?.finish();
      this.#resolve();
    }
  }

  /** @returns false when the query was closed already */
  #close(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    clearInterval(this.#tick);
    this.#ground.fleet.off('change', this.#fleetChanged);
    this.#source?.return?.().catch(() => undefined);
    return true;
  }

  #refill(): void {
    const waiting = this.#unended - this.#dispatch.inFlight;
    if (this.#fetching || this.tally.totalIsFinal) return;
    if (waiting > LOOKAHEAD_TRACES) return;
    this.#fetching = true;
    this.#source?.next().then(
      ({ done, value }) => {
        this.#fetching = false;
        if (done === true) this.tally.totalIsFinal = true;
        else this.#found(value);
        this.#pump();
      },
      (error: unknown) => this.fail(error),
    );
  }

  #found(traces: FoundTrace[]): void {
    this.tally.tracesTotal += traces.length;
    this.#unended += traces.length;
    for (const found of traces) this.#dispatch.place(new QueryTask(found));
  }

  #openRun(lane: WorkerQueue): WorkerRun {
    const { queryId, user, sql, limits, mode, traceContext } = this.#spec;
    return new WorkerRun(
      lane.worker.client.run(traceContext),
      { queryId, user, sql, limits, mode, credits: lane.credits },
      {
        onEvents: (events) => this.#received(lane, events),
        onBroken: (error) => this.#broken(lane, error),
      },
    );
  }

  #received(lane: WorkerQueue, events: RunEvent[]): void {
    for (const event of events) {
      if (this.#ended) return;
      this.#one(lane, event);
    }
    this.#pump();
  }

  #one(lane: WorkerQueue, event: RunEvent): void {
    if (event.rows) {
      this.#rows(lane, event.rows);
    } else if (event.types) {
      const { id, column, stats } = event.types;
      const task = this.#dispatch.take(lane, id);
      if (task === undefined) return;
      this.#dispatch.claim(task, lane);
      this.#sink.types(task.trace, column);
      this.#answered(lane, task, stats);
    } else if (event.failure) {
      const { id, code, message, threadMs = 0 } = event.failure;
      const task = this.#dispatch.take(lane, id);
      this.#charge(threadMs);
      if (task) this.#failed(lane, task, errorOf(code, message));
    } else if (event.returned) {
      this.#dispatch.returned(lane, event.returned.id);
    } else if (event.states) {
      lane.states.heard(event.states.state, performance.now());
    } else if (event.draining) {
      this.#drains(lane);
      this.#dispatch.empty(lane);
    } else {
      lane.credits += event.credits ?? 0;
    }
  }

  #rows(lane: WorkerQueue, { id, result, last, stats }: TaskRows): void {
    const task = lane.open.get(id);
    if (task === undefined) return;
    this.#dispatch.claim(task, lane);
    const verdict = task.replay.take(result, last);
    if (verdict === 'differs') {
      this.#dispatch.drop(lane, id);
      const detail = 'trace answered differently when it was asked again after its worker was lost';
      this.#end(task, new BigtraceError('trace_changed', detail));
    } else if (verdict === 'pass') {
      this.tally.resultBytes += result.length;
      this.#ground.counters.add('result_bytes', result.length);
      this.#sink.rows(task.trace, result, last);
      if (last) this.#dispatch.take(lane, id);
      if (last) this.#answered(lane, task, stats);
      const error = this.#ground.users.addResultBytes(this.#spec.user, result.length);
      if (error !== undefined) this.fail(error);
    }
  }

  #answered(lane: WorkerQueue, task: QueryTask, stats: TaskStats | null | undefined): void {
    const { counters, coldMs, memory } = this.#ground;
    this.#unended -= 1;
    this.tally.done(stats);
    counters.add('traces_done');
    if (stats) {
      counters.add('rows', stats.rows);
      counters.add('trace_bytes', stats.traceBytes);
      lane.answered(stats.loadMs + stats.queryMs);
      this.#charge(stats.loadMs + stats.queryMs);
      if (stats.tier === 'parse') coldMs.add(stats.loadMs);
    }
    if (task.displaced) memory.set(task.digest, lane.address);
  }

  #failed(lane: WorkerQueue, task: QueryTask, error: BigtraceError, reached = true): void {
    task.failedOn.push(lane.address);
    if (task.holders > 0 && error.retryable) return; // the hedge still runs
    this.#dispatch.claim(task);
    if (error.code === 'engine_crashed') task.crashes += 1;
    const othersLeft = this.#dispatch.othersLeft(task);
    if (!wasAttempt(reached, othersLeft)) task.attempts -= 1;
    const { attempts, crashes } = task;
    const verdict = retryDecision(error, { attempts, crashes, othersLeft });
    if (verdict.next === 'fail') {
      this.#end(task, verdict.error);
      return;
    }
    if (verdict.next === 'anywhere') task.failedOn = [];
    this.#ground.counters.add('retries');
    this.#dispatch.place(task);
  }

  /** Ends a task as failed. */
  #end(task: QueryTask, error: BigtraceError): void {
    const { chunks } = task.replay;
    const passed = chunks === 0 ? '' : ` (after ${chunks} of its results were passed on)`;
    const told = new BigtraceError(error.code, `${error.detail}${passed}`, { cause: error.cause });
    const named = told.ofTrace(task.name);
    this.#unended -= 1;
    this.#recordFailure(task.trace, named, task.attempts);
    if (!this.#spec.lenient) this.fail(named);
  }

  #recordFailure(trace: Buffer, error: BigtraceError, attempts: number): void {
    const { queryId, user, mode, lenient } = this.#spec;
    const { code, detail: message } = error;
    this.#recorded = error;
    this.tally.failed(error);
    this.#ground.counters.add('traces_failed');
    // Column finding is followed by the query itself, in which the same trace fails again.
    if (mode === 'ROWS')
      this.#ground.failures.add({
        ...{ queryId, user, trace, code, message, attempts, timeMs: Date.now() },
      });
    if (lenient) this.#sink.failure(trace, error, attempts);
  }

  #broken(lane: WorkerQueue, thrown: BigtraceError): void {
    if (this.#ended) return;
    const reached = lane.run?.reached === true;
    lane.run = undefined;
    const spent = lane.draining && lane.open.size === 0;
    // Cancellation by this query is not reported here, so a cancelled stream was cut.
    const cut = thrown.code === 'cancelled' || thrown.code === 'worker_lost';
    if (!thrown.retryable && !cut) {
      this.fail(thrown);
      return;
    }
    if (thrown.code === 'draining') this.#drains(lane);
    if (cut && !spent) this.#ground.fleet.suspect(lane.worker, thrown.detail);
    this.#abandon(lane, cut ? lost(lane, thrown.detail) : thrown, reached);
    this.#pump();
  }

  /** Marks the worker as draining for all queries, including those without a stream to it. */
  #drains(lane: WorkerQueue): void {
    lane.draining = true;
    this.#ground.fleet.noteDraining(lane.worker);
  }

  /** Retries the tasks that were assigned to a worker whose stream ended. */
  #abandon(lane: WorkerQueue, error: BigtraceError, reached: boolean): void {
    this.#ground.counters.add('streams_broken');
    for (const task of this.#dispatch.abandon(lane)) {
      if (!this.#ended) this.#failed(lane, task, error, reached);
    }
  }

  readonly #fleetChanged = (): void => {
    if (this.#ended) return;
    this.#dispatch.adoptWorkers();
    for (const lane of this.#dispatch.lanes) {
      if (lane.worker.state === 'lost' && lane.run !== undefined)
        this.#abandon(lane, lost(lane, lane.worker.reason), lane.run.reached);
      else this.#dispatch.empty(lane);
    }
    this.#pump();
  };

  #ticked(): void {
    this.#dispatch.adoptWorkers();
    const stranded = this.#unended > 0 && this.#dispatch.unassigned === this.#unended;
    if (!stranded) this.#strandedAt = undefined;
    else {
      this.#strandedAt ??= performance.now();
      this.#ground.fleet.resolveSoon();
    }
    const strandedMs = performance.now() - (this.#strandedAt ?? performance.now());
    if (strandedMs >= this.#ground.workerWaitMs) this.fail(this.#ground.fleet.noWorkers());
    else this.#pump();
  }

  #pump(): void {
    if (this.#ended) return;
    if (!this.#sink.flush() && !this.#paused) {
      this.#paused = true;
      for (const lane of this.#dispatch.lanes) lane.run?.pause();
    }
    if (!this.#paused) {
      this.#refill();
      this.#dispatch.feed();
      this.#dispatch.balance();
    }
    if (this.tally.totalIsFinal && this.#unended === 0) this.#finish();
  }

  #drained(): void {
    if (!this.#paused || this.#ended) return;
    this.#paused = false;
    const now = performance.now();
    for (const lane of this.#dispatch.lanes) {
      lane.states.resumed(now);
      lane.run?.resume();
    }
    this.#pump();
  }
}

/** Returns the error of a failed task. A task that fails with `cancelled` was cut off when its worker stopped. */
function errorOf(code: string, detail: string): BigtraceError {
  if (code === 'cancelled') return new BigtraceError('worker_lost', detail);
  return new BigtraceError(isErrorCode(code) ? code : 'internal', detail);
}

function lost({ address }: WorkerQueue, reason: string): BigtraceError {
  return new BigtraceError('worker_lost', `worker ${address} was lost: ${reason}`);
}
