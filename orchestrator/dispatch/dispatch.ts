/** Assigns the tasks of one query to workers: worker queues, credits, stealing, hedging. */
import type { BigtraceError } from '../../lib/common/errors.ts';
import type { OrchestratorCounters } from '../counters.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { EnginePin } from './engine-pin.ts';
import { firstToBegin, placementFor, preferredWorker } from './placement.ts';
import type { PlacementMemory } from './placement-memory.ts';
import { hedgePays, type Mean, stealPays } from './steal.ts';
import type { QueryTask } from './task.ts';
import { WorkerQueue } from './worker-queue.ts';
import type { WorkerRun } from './worker-run.ts';

/** State and settings that the dispatch of all queries shares. */
export interface DispatchContext {
  fleet: Fleet;
  memory: PlacementMemory;
  /** Mean time, in ms, of recent loads that parsed the trace, because no snapshot of it existed. */
  coldMs: Mean;
  counters: OrchestratorCounters;
  /** Time that a query waits for a usable worker before it fails with no_workers. */
  workerWaitMs: number;
  /** Maximum number of tasks of one query assigned at the same time; 0: as many as workers give credits for. */
  tracesInFlightMax: number;
  /** Age after which a task of a silent worker may be hedged; 0: never. */
  hedgeAfterMs: number;
}

/**
 * Assumed load time before the first parse was measured. It is high on purpose, so that idle workers steal less: after
 * a restart most traces have a snapshot on their preferred worker.
 */
const DEFAULT_COLD_MS = 1000;

export class Dispatch {
  readonly #context: DispatchContext;
  readonly #open: (workerQueue: WorkerQueue) => WorkerRun;
  readonly #onThreadTime: (threadMs: number) => void;
  readonly #pin: EnginePin;
  readonly #workerQueues = new Map<string, WorkerQueue>();
  /** Tasks that wait because no worker is usable. */
  #unassigned: QueryTask[] = [];
  #inFlight = 0;
  #nextId = 1;

  /**
   * @param pin the engine of the query
   * @param open opens the stream to the worker of a worker queue
   * @param spent called with engine-thread time, in ms, of tasks that were dropped before they ended
   */
  constructor(
    context: DispatchContext,
    pin: EnginePin,
    open: (workerQueue: WorkerQueue) => WorkerRun,
    onThreadTime: (threadMs: number) => void,
  ) {
    this.#context = context;
    this.#pin = pin;
    this.#open = open;
    this.#onThreadTime = onThreadTime;
  }

  get workerQueues(): WorkerQueue[] {
    return [...this.#workerQueues.values()];
  }

  /** Number of assigned tasks; a hedged task counts once per worker. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get unassigned(): number {
    return this.#unassigned.length;
  }

  /**
   * Creates a worker queue for each new usable worker, and places the tasks that had no worker.
   * @throws invalid_option if no worker has the engine that the script names
   */
  adoptWorkers(): void {
    this.#pin.choose(this.#context.fleet);
    for (const worker of this.#context.fleet.usable) {
      if (!this.#pin.accepts(worker)) continue;
      const workerQueue = this.#workerQueues.get(worker.address);
      if (workerQueue?.usable === true || (workerQueue !== undefined && workerQueue.load > 0))
        continue;
      // A worker that drained or left and came back starts with a new queue.
      workerQueue?.run?.finish();
      this.#workerQueues.set(worker.address, new WorkerQueue(worker));
    }
    const unassigned = this.#unassigned;
    this.#unassigned = [];
    for (const task of unassigned) this.place(task);
  }

  /** Lets the query use another engine, when the workers with its engine have left and nothing was passed on. */
  releaseEngine(): void {
    this.#pin.release();
  }

  /** The error when no worker can be used. */
  noWorkers(): BigtraceError {
    const { fleet } = this.#context;
    return fleet.usable.length > 0 ? this.#pin.gone(fleet) : fleet.noWorkers();
  }

  place(task: QueryTask): void {
    const usable = this.workerQueues.filter((workerQueue) => workerQueue.usable);
    if (usable.length === 0) {
      this.#unassigned.push(task);
      return;
    }
    const untried = usable.filter((workerQueue) => task.mayRunOn(workerQueue));
    const candidates = untried.length > 0 ? untried : usable;
    const sharing = this.#context.memory
      .get(task.digest)
      .flatMap((remembered) => candidates.find(({ address }) => address === remembered) ?? []);
    const workerQueue = firstToBegin(sharing) ?? placementFor(task.digest, candidates);
    task.displaced = workerQueue !== preferredWorker(task.digest, usable);
    workerQueue?.queue.push(task);
  }

  /** Whether there is a usable worker on which `task` has not failed. */
  othersLeft(task: QueryTask): boolean {
    return this.workerQueues.some(
      (workerQueue) => workerQueue.usable && task.mayRunOn(workerQueue),
    );
  }

  /** Assigns queued tasks to the workers that have credits. */
  feed(): void {
    for (const workerQueue of this.#workerQueues.values()) this.#feed(workerQueue);
  }

  #feed(workerQueue: WorkerQueue): void {
    if (workerQueue.queue.length === 0 || !this.#opened(workerQueue)) return;
    const max = this.#context.tracesInFlightMax || Number.POSITIVE_INFINITY;
    const count = Math.min(workerQueue.credits, max - this.#inFlight);
    if (count <= 0) return;
    const tasks = workerQueue.queue.shift(count);
    const now = performance.now();
    for (const task of tasks) {
      task.id = this.#nextId++;
      task.attempts += 1;
      task.assignedAt = now;
      task.withdrawnFor = undefined;
      task.replay.restart();
    }
    this.#assign(workerQueue, tasks);
  }

  #assign(workerQueue: WorkerQueue, tasks: QueryTask[]): void {
    for (const task of tasks) {
      workerQueue.open.set(task.id, task);
      task.assignments += 1;
    }
    workerQueue.credits -= tasks.length;
    workerQueue.worker.tasksAssigned += tasks.length;
    this.#inFlight += tasks.length;
    const now = performance.now();
    workerQueue.run?.assign(
      tasks.map((task) => ({
        ...{ id: task.id, trace: task.trace, generation: task.generationAt(now) },
        alone: task.alone,
      })),
    );
  }

  #opened(workerQueue: WorkerQueue): boolean {
    if (workerQueue.run !== undefined) return true;
    if (!workerQueue.usable || performance.now() < workerQueue.opensAt) return false;
    workerQueue.credits = workerQueue.worker.firstCredits;
    workerQueue.run = this.#open(workerQueue);
    return true;
  }

  /** Lets idle workers steal from the worker with the highest load, where `stealPays`, or hedge. */
  balance(): void {
    const workerQueues = this.workerQueues.filter((workerQueue) => workerQueue.usable);
    if (workerQueues.length < 2) return;
    const now = performance.now();
    for (const thief of workerQueues) {
      if (thief.queue.length > 0 || thief.open.size >= thief.worker.threads) continue;
      let count = thief.run === undefined ? 1 : thief.credits;
      while (count-- > 0 && this.#steal(thief, workerQueues, now));
      this.#feed(thief);
      if (thief.load === 0) this.#help(thief, workerQueues, now);
    }
  }

  /**
   * Looks for a task that another worker has had for longer than a load takes. A task that is still queued on that
   * worker is withdrawn for the idle worker; a task whose worker is silent is hedged. A task that the worker reports
   * as being read, parsed or run stays: if it never ends there, it would never end here.
   */
  #help(idle: WorkerQueue, workerQueues: WorkerQueue[], now: number): void {
    const coldMs = this.#context.coldMs.or(DEFAULT_COLD_MS);
    for (const workerQueue of workerQueues) {
      if (workerQueue === idle) continue;
      for (const task of workerQueue.open.values()) {
        const ageMs = now - task.assignedAt;
        if (ageMs <= coldMs) break; // tasks are in order of assignment: the others are younger
        const state = workerQueue.states.current(task.id, now);
        const { assignments, replay } = task;
        if (assignments > 1 || replay.begun || !task.mayRunOn(idle)) continue;
        if (state?.phase === 'QUEUED' && idle.worker.hasFreeThread) {
          if (withdraw(workerQueue, idle, task)) task.overloaded = workerQueue.address;
          return;
        }
        if (state !== undefined || !hedgePays(ageMs, coldMs, this.#context.hedgeAfterMs)) continue;
        if (this.#opened(idle) && idle.credits > 0) this.#hedge(idle, task);
        return;
      }
    }
  }

  #hedge(idle: WorkerQueue, task: QueryTask): void {
    task.displaced = true;
    this.#context.counters.add('hedges');
    this.#assign(idle, [task]);
  }

  /** Moves one queued task to the thief. @returns false when there is no queued task to steal */
  #steal(thief: WorkerQueue, workerQueues: WorkerQueue[], now: number): boolean {
    const victim = workerQueues.reduce(
      (most, workerQueue) => (workerQueue.load > most.load ? workerQueue : most),
      thief,
    );
    if (victim === thief) return false;
    const coldMs = this.#context.coldMs.or(DEFAULT_COLD_MS);
    if (!stealPays(victim.asVictim(now), coldMs)) return false;
    const fits = (task: QueryTask): boolean => task.mayRunOn(thief);
    if (victim.queue.length === 0) {
      const last = [...victim.open.values()].at(-1);
      if (last !== undefined && fits(last)) withdraw(victim, thief, last);
      return false;
    }
    const task = victim.queue.popIf(fits);
    if (task === undefined) return false;
    this.#moved(task, thief);
    return true;
  }

  #moved(task: QueryTask, thief: WorkerQueue): void {
    task.displaced = true;
    thief.queue.push(task);
    this.#context.counters.add('steals');
  }

  /** Removes an assigned task from a worker queue. @returns undefined when the queue does not have it */
  take(workerQueue: WorkerQueue, id: number): QueryTask | undefined {
    const task = workerQueue.open.get(id);
    if (task === undefined) return undefined;
    workerQueue.open.delete(id);
    task.assignments -= 1;
    workerQueue.worker.tasksAssigned -= 1;
    this.#inFlight -= 1;
    return task;
  }

  /** Cancels the task on every worker but `by`, when one worker of a hedged task sends its result. */
  claim(task: QueryTask, by?: WorkerQueue): void {
    const own = by?.open.has(task.id) ? 1 : 0;
    if (task.assignments === own) return;
    for (const workerQueue of this.#workerQueues.values())
      if (workerQueue !== by) this.drop(workerQueue, task.id);
  }

  /** Cancels an assigned task on its worker and removes it from the worker queue. */
  drop(workerQueue: WorkerQueue, id: number): void {
    if (this.take(workerQueue, id) === undefined) return;
    this.#onThreadTime(workerQueue.states.threadMs(id));
    workerQueue.run?.cancelTasks([id]);
  }

  /** Assigns again the tasks that a worker gave back, to the thief if a steal caused it. */
  returned(workerQueue: WorkerQueue, ids: number[]): void {
    for (const id of ids) {
      const task = this.take(workerQueue, id);
      if (task === undefined || task.assignments > 0) continue;
      task.attempts -= 1;
      const thief = this.#workerQueues.get(task.withdrawnFor ?? '');
      if (thief?.usable === true) this.#moved(task, thief);
      else this.place(task);
    }
  }

  /** Closes the stream of a worker queue. @returns the tasks that were assigned to the worker and had not ended */
  abandon(workerQueue: WorkerQueue): QueryTask[] {
    this.#onThreadTime(workerQueue.openThreadMs);
    for (const [id, task] of workerQueue.open) task.alone ||= workerQueue.states.hadBegun(id);
    workerQueue.broken(performance.now());
    const tasks = [...workerQueue.open.keys()].flatMap((id) => this.take(workerQueue, id) ?? []);
    this.empty(workerQueue);
    return tasks;
  }

  /** Cancels all streams, when the query ends before its tasks. */
  cancelAll(): void {
    for (const workerQueue of this.#workerQueues.values()) {
      this.#onThreadTime(workerQueue.openThreadMs);
      workerQueue.run?.cancel();
      for (const id of [...workerQueue.open.keys()]) this.take(workerQueue, id);
    }
  }

  /** Places the queued tasks again if the worker is no longer usable. */
  empty(workerQueue: WorkerQueue): void {
    if (!workerQueue.usable) for (const task of workerQueue.queue.clear()) this.place(task);
  }
}

/**
 * Requests a task back from the victim. It succeeds if the task has not begun.
 * @returns false if that was requested already
 */
function withdraw(victim: WorkerQueue, thief: WorkerQueue, task: QueryTask): boolean {
  if (task.withdrawnFor !== undefined) return false;
  task.withdrawnFor = thief.address;
  victim.run?.withdraw([task.id]);
  return true;
}
