/**
 * Runs one query over the fleet: takes traces from a source, dispatches them to workers as tasks, retries those that
 * fail, and passes results and failures to a sink. It is a state machine: every event ends with a call of `#pump`.
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import { engineNamed } from '../../lib/common/text/engine-comment.ts';
import type { Progress, RunEvent, TaskRows, TaskStats } from '../../lib/proto/messages.ts';
import { Dispatch, type DispatchContext } from '../dispatch/dispatch.ts';
import { EnginePin } from '../dispatch/engine-pin.ts';
import { retryDecision } from '../dispatch/retry.ts';
import { QueryTask } from '../dispatch/task.ts';
import type { WorkerQueue } from '../dispatch/worker-queue.ts';
import { WorkerRun } from '../dispatch/worker-run.ts';
import type { FailureLog } from './failure-log.ts';
import type { QueryLoad, QuerySpec, Sink } from './query-spec.ts';
import { QueryTotals } from './query-totals.ts';
import { runningTraces } from './running-traces.ts';
import { errorOf, withLargestWorker, workerLost } from './task-errors.ts';
import type { FoundTrace } from './trace-source.ts';
import { UnendedTasks } from './unended-tasks.ts';
import type { Users } from './users.ts';

/** The state that the runs of all queries share. */
export interface QueryRunContext extends DispatchContext {
  failures: FailureLog;
  users: Users;
}

/** The source is read while at most this number of tasks wait, so that a long list is not held in memory. */
const LOOKAHEAD_TRACES = 2048;
const TICK_MS = 50;

export class QueryRun {
  readonly totals = new QueryTotals();
  readonly #spec: QuerySpec;
  readonly #context: QueryRunContext;
  readonly #sink: Sink;
  readonly #dispatch: Dispatch;
  #source: AsyncIterator<FoundTrace[]> | undefined;
  #fetching = false;
  readonly #unended = new UnendedTasks();
  #paused = false;
  #ended = false;
  /** The last trace failure that was recorded. */
  #recorded: BigtraceError | undefined;
  /** Since when there are tasks but no usable worker, in ms of performance.now(). */
  #noWorkerSince: number | undefined;
  #tick: NodeJS.Timeout | undefined;
  readonly #settled: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(spec: QuerySpec, context: QueryRunContext, sink: Sink) {
    this.#spec = spec;
    this.#context = context;
    this.#sink = sink;
    const chargeThreadTime = (threadMs: number): void => this.#chargeThreadTime(threadMs);
    this.#dispatch = new Dispatch(
      context,
      new EnginePin(engineNamed(spec.sql)),
      (workerQueue) => this.#openRun(workerQueue),
      chargeThreadTime,
    );
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

  get load(): QueryLoad {
    return this.#unended.load(this.#dispatch.inFlight);
  }

  /** Returns the totals, and the traces that have run longest. */
  progress(): Progress {
    return this.totals.progress(runningTraces(this.#dispatch.workerQueues, this.#spec));
  }

  /** Resolves when every trace of `source` has ended. @throws the error that ended the query */
  async run(source: AsyncIterator<FoundTrace[]>): Promise<void> {
    if (!this.#ended) {
      this.#source = source;
      this.#context.fleet.on('change', this.#fleetChanged);
      this.#tick = setInterval(() => this.#onTick(), TICK_MS);
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
  #chargeThreadTime(threadMs: number): void {
    if (threadMs <= 0) return;
    const error = this.#context.users.addThreadMs(this.#spec.user, threadMs);
    if (error !== undefined) this.fail(error);
  }

  /** Records an address that stands for no trace. @throws `error` when it ends the query */
  refuse(address: Buffer, error: BigtraceError): void {
    if (!this.#spec.lenient || error.kind !== 'user') throw error;
    this.totals.refused(error);
    this.#recordFailure(address, error, 0);
  }

  #finish(): void {
    if (this.#spec.lenient && this.totals.tracesDone === 0) {
      this.fail(this.totals.allFailed());
    } else if (this.#close()) {
      for (const workerQueue of this.#dispatch.workerQueues) workerQueue.run?.finish();
      this.#resolve();
    }
  }

  /** @returns false when the query was closed already */
  #close(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    clearInterval(this.#tick);
    this.#context.fleet.off('change', this.#fleetChanged);
    this.#source?.return?.().catch(() => undefined);
    return true;
  }

  #refill(): void {
    const waiting = this.#unended.count - this.#dispatch.inFlight;
    if (this.#fetching || this.totals.totalIsFinal) return;
    if (waiting > LOOKAHEAD_TRACES) return;
    this.#fetching = true;
    this.#source?.next().then(
      ({ done, value }) => {
        this.#fetching = false;
        if (done === true) this.totals.totalIsFinal = true;
        else this.#addTasks(value);
        this.#pump();
      },
      (error: unknown) => this.fail(error),
    );
  }

  #addTasks(traces: FoundTrace[]): void {
    this.totals.tracesTotal += traces.length;
    const tasks = traces.map((trace) => this.#unended.add(new QueryTask(trace)));
    for (const task of tasks) this.#dispatch.place(task);
  }

  #openRun(workerQueue: WorkerQueue): WorkerRun {
    const { queryId, user, sql, limits, mode, traceContext } = this.#spec;
    return new WorkerRun(
      workerQueue.worker.client.run(traceContext),
      {
        queryId,
        user,
        sql,
        limits,
        mode,
        credits: workerQueue.credits,
        engine: workerQueue.engine,
      },
      {
        onEvents: (events) => this.#onEvents(workerQueue, events),
        onBroken: (error) => this.#onBroken(workerQueue, error),
      },
    );
  }

  #onEvents(workerQueue: WorkerQueue, events: RunEvent[]): void {
    for (const event of events) {
      if (this.#ended) return;
      this.#onEvent(workerQueue, event);
    }
    this.#pump();
  }

  #onEvent(workerQueue: WorkerQueue, event: RunEvent): void {
    if (event.rows) {
      this.#rows(workerQueue, event.rows);
    } else if (event.types) {
      const { id, column, stats } = event.types;
      const task = this.#dispatch.take(workerQueue, id);
      if (task === undefined) return;
      this.#dispatch.claim(task, workerQueue);
      this.#sink.types(task.trace, column);
      this.#taskDone(workerQueue, task, stats);
    } else if (event.failure) {
      const { id, code, message, threadMs = 0, neededBytes } = event.failure;
      const task = this.#dispatch.take(workerQueue, id);
      this.#chargeThreadTime(threadMs);
      if (task) this.#taskFailed(workerQueue, task, errorOf(code, message, neededBytes));
    } else if (event.returned) {
      this.#dispatch.returned(workerQueue, event.returned.id);
    } else if (event.states) {
      workerQueue.states.report(event.states.state, performance.now());
    } else if (event.draining) {
      this.#onDraining(workerQueue);
      this.#dispatch.empty(workerQueue);
    } else {
      workerQueue.credits += event.credits ?? 0;
    }
  }

  #rows(workerQueue: WorkerQueue, { id, result, last, stats }: TaskRows): void {
    const task = workerQueue.open.get(id);
    if (task === undefined) return;
    this.#dispatch.claim(task, workerQueue);
    const decision = task.replay.take(result, last);
    if (decision === 'differs') {
      this.#dispatch.drop(workerQueue, id);
      const detail =
        'the trace returned other rows when the task was retried after its worker was lost';
      this.#end(task, new BigtraceError('trace_changed', detail));
    } else if (decision === 'pass') {
      this.totals.resultBytes += result.length;
      this.#context.counters.add('result_bytes', result.length);
      this.#sink.rows(task.trace, result, last);
      if (last) this.#dispatch.take(workerQueue, id);
      if (last) this.#taskDone(workerQueue, task, stats);
      const error = this.#context.users.addResultBytes(this.#spec.user, result.length);
      if (error !== undefined) this.fail(error);
    }
  }

  #taskDone(workerQueue: WorkerQueue, task: QueryTask, stats: TaskStats | null | undefined): void {
    const { counters, coldMs, memory } = this.#context;
    this.#unended.remove(task);
    this.totals.done(stats);
    counters.add('traces_done');
    if (stats) {
      counters.add('rows', stats.rows);
      counters.add('trace_bytes', stats.traceBytes);
      workerQueue.taskDone(stats.loadMs + stats.queryMs);
      this.#chargeThreadTime(stats.loadMs + stats.queryMs);
      if (stats.tier === 'parse') coldMs.add(stats.loadMs);
    }
    if (task.displaced) memory.set(task.digest, workerQueue.address, task.overloaded);
  }

  #taskFailed(
    workerQueue: WorkerQueue,
    task: QueryTask,
    error: BigtraceError,
    reached = true,
  ): void {
    task.failedOn.push(workerQueue.address);
    if (task.assignments > 0 && error.retryable) return; // the hedge still runs
    this.#dispatch.claim(task);
    if (error.code === 'engine_crashed') task.crashes += 1;
    task.neededBytes = Math.max(task.neededBytes, error.neededBytes ?? 0);
    const othersLeft = this.#dispatch.othersLeft(task);
    const { workerWaitMs } = this.#context;
    if (!task.unreached.wasAttempt(reached, othersLeft, workerWaitMs)) task.attempts -= 1;
    const { attempts, crashes } = task;
    const decision = retryDecision(error, { attempts, crashes, othersLeft });
    if (decision.next === 'fail') {
      this.#end(task, withLargestWorker(decision.error, this.#context.fleet.usable));
      return;
    }
    if (decision.next === 'anywhere') task.failedOn = [];
    this.#context.counters.add('retries');
    this.#dispatch.place(task);
  }

  /** Ends a task as failed. */
  #end(task: QueryTask, error: BigtraceError): void {
    const { chunks } = task.replay;
    const note = chunks === 0 ? '' : ` (after ${chunks} chunks of its result)`;
    const withPassed = new BigtraceError(error.code, `${error.detail}${note}`, {
      cause: error.cause,
    });
    const named = withPassed.ofTrace(task.name);
    this.#unended.remove(task);
    this.totals.failed(named);
    this.#recordFailure(task.trace, named, task.attempts);
    if (!this.#spec.lenient) this.fail(named);
  }

  #recordFailure(trace: Buffer, error: BigtraceError, attempts: number): void {
    const { queryId, user, mode, lenient } = this.#spec;
    const { code, detail: message } = error;
    this.#recorded = error;
    this.#context.counters.add('traces_failed');
    // Column finding is followed by the query itself, in which the same trace fails again.
    if (mode === 'ROWS')
      this.#context.failures.add({
        ...{ queryId, user, trace, code, message, attempts, timeMs: Date.now() },
      });
    if (lenient) this.#sink.failure(trace, error, attempts);
  }

  #onBroken(workerQueue: WorkerQueue, thrown: BigtraceError): void {
    if (this.#ended) return;
    const reached = workerQueue.run?.reached === true;
    workerQueue.run = undefined;
    const drained = workerQueue.draining && workerQueue.open.size === 0;
    // Cancellation by this query is not reported here, so a cancelled stream was cut.
    const wasCut = thrown.code === 'cancelled' || thrown.code === 'worker_lost';
    if (!thrown.retryable && !wasCut) {
      this.fail(thrown);
      return;
    }
    if (thrown.code === 'draining') this.#onDraining(workerQueue);
    if (wasCut && !drained) this.#context.fleet.suspect(workerQueue.worker, thrown.detail);
    this.#abandon(workerQueue, wasCut ? workerLost(workerQueue, thrown.detail) : thrown, reached);
    this.#pump();
  }

  /** Marks the worker as draining for all queries, including those without a stream to it. */
  #onDraining(workerQueue: WorkerQueue): void {
    workerQueue.draining = true;
    this.#context.fleet.noteDraining(workerQueue.worker);
  }

  /** Retries the tasks that were assigned to a worker whose stream ended. */
  #abandon(workerQueue: WorkerQueue, error: BigtraceError, reached: boolean): void {
    this.#context.counters.add('streams_broken');
    for (const task of this.#dispatch.abandon(workerQueue)) {
      if (!this.#ended) this.#taskFailed(workerQueue, task, error, reached);
    }
  }

  readonly #fleetChanged = (): void => {
    if (this.#ended || !this.#adoptWorkers()) return;
    for (const workerQueue of this.#dispatch.workerQueues) {
      if (workerQueue.worker.state === 'lost' && workerQueue.run !== undefined)
        this.#abandon(
          workerQueue,
          workerLost(workerQueue, workerQueue.worker.reason),
          workerQueue.run.reached,
        );
      else this.#dispatch.empty(workerQueue);
    }
    this.#pump();
  };

  /** @returns false if the query has failed, because no worker has its engine */
  #adoptWorkers(): boolean {
    try {
      this.#dispatch.adoptWorkers();
      return true;
    } catch (thrown) {
      this.fail(thrown);
      return false;
    }
  }

  #onTick(): void {
    if (!this.#adoptWorkers()) return;
    const hasNoWorker =
      this.#unended.count > 0 && this.#dispatch.unassigned === this.#unended.count;
    if (!hasNoWorker) this.#noWorkerSince = undefined;
    else {
      this.#noWorkerSince ??= performance.now();
      this.#context.fleet.resolveSoon();
      if (!this.totals.begun) this.#dispatch.releaseEngine();
    }
    const noWorkerMs = performance.now() - (this.#noWorkerSince ?? performance.now());
    if (noWorkerMs >= this.#context.workerWaitMs) this.fail(this.#dispatch.noWorkers());
    else this.#pump();
  }

  #pump(): void {
    if (this.#ended) return;
    if (!this.#sink.flush() && !this.#paused) {
      this.#paused = true;
      for (const workerQueue of this.#dispatch.workerQueues) workerQueue.run?.pause();
    }
    if (!this.#paused) {
      this.#refill();
      this.#dispatch.feed();
      this.#dispatch.balance();
    }
    if (this.totals.totalIsFinal && this.#unended.count === 0) this.#finish();
  }

  #drained(): void {
    if (!this.#paused || this.#ended) return;
    this.#paused = false;
    const now = performance.now();
    for (const workerQueue of this.#dispatch.workerQueues) {
      workerQueue.states.resumed(now);
      workerQueue.run?.resume();
    }
    this.#pump();
  }
}
