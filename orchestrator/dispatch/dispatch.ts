/** Assigns the tasks of one query to workers: worker queues, credits, stealing, hedging. */
import type { OrchestratorCounters } from '../counters.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { placementFor, preferredWorker } from './placement.ts';
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
  readonly #ground: DispatchContext;
  readonly #open: (lane: WorkerQueue) => WorkerRun;
  readonly #spent: (threadMs: number) => void;
  readonly #lanes = new Map<string, WorkerQueue>();
  /** Tasks that wait because no worker is usable. */
  #unassigned: QueryTask[] = [];
  #inFlight = 0;
  #nextId = 1;

  /**
   * @param open opens the stream to the worker of a worker queue
   * @param spent called with engine-thread time, in ms, of tasks that were dropped before they ended
   */
  constructor(
    ground: DispatchContext,
    open: (lane: WorkerQueue) => WorkerRun,
    spent: (threadMs: number) => void,
  ) {
    this.#ground = ground;
    this.#open = open;
    this.#spent = spent;
  }

  get lanes(): WorkerQueue[] {
    return [...this.#lanes.values()];
  }

  /** Number of assigned tasks; a hedged task counts once per worker. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get unassigned(): number {
    return this.#unassigned.length;
  }

  /** Creates a worker queue for each new usable worker, and places the tasks that had no worker. */
  adoptWorkers(): void {
    for (const worker of this.#ground.fleet.usable) {
      const lane = this.#lanes.get(worker.address);
      if (lane?.usable === true || (lane !== undefined && lane.load > 0)) continue;
      // A worker that drained or left and came back starts with a new queue.
      lane?.run?.finish();
      this.#lanes.set(worker.address, new WorkerQueue(worker));
    }
    const unassigned = this.#unassigned;
    this.#unassigned = [];
    for (const task of unassigned) this.place(task);
  }

  place(task: QueryTask): void {
    const usable = this.lanes.filter((lane) => lane.usable);
    if (usable.length === 0) {
      this.#unassigned.push(task);
      return;
    }
    const untried = usable.filter(({ address }) => !task.failedOn.includes(address));
    const places = untried.length > 0 ? untried : usable;
    const remembered = this.#ground.memory.get(task.digest);
    const lane =
      places.find(({ address }) => address === remembered) ?? placementFor(task.digest, places);
    task.displaced = lane !== preferredWorker(task.digest, usable);
    lane?.queue.push(task);
  }

  /** Whether there is a usable worker on which `task` has not failed. */
  othersLeft(task: QueryTask): boolean {
    return this.lanes.some(({ usable, address }) => usable && !task.failedOn.includes(address));
  }

  /** Assigns queued tasks to the workers that have credits. */
  feed(): void {
    for (const lane of this.#lanes.values()) this.#feed(lane);
  }

  #feed(lane: WorkerQueue): void {
    if (lane.queue.length === 0 || !this.#opened(lane)) return;
    const max = this.#ground.tracesInFlightMax || Number.POSITIVE_INFINITY;
    const count = Math.min(lane.credits, max - this.#inFlight);
    if (count <= 0) return;
    const tasks = lane.queue.shift(count);
    const now = performance.now();
    for (const task of tasks) {
      task.id = this.#nextId++;
      task.attempts += 1;
      task.assignedAt = now;
      task.wantedBy = undefined;
      task.replay.restart();
    }
    this.#assign(lane, tasks);
  }

  #assign(lane: WorkerQueue, tasks: QueryTask[]): void {
    for (const task of tasks) {
      lane.open.set(task.id, task);
      task.holders += 1;
    }
    lane.credits -= tasks.length;
    this.#inFlight += tasks.length;
    const now = performance.now();
    lane.run?.assign(
      tasks.map((task) => ({
        ...{ id: task.id, trace: task.trace, generation: task.generationAt(now) },
      })),
    );
  }

  #opened(lane: WorkerQueue): boolean {
    if (lane.run !== undefined) return true;
    if (!lane.usable || performance.now() < lane.opensAt) return false;
    lane.credits = lane.worker.firstCredits;
    lane.run = this.#open(lane);
    return true;
  }

  /** Lets idle workers steal from the worker with the highest load, where `stealPays`, or hedge. */
  balance(): void {
    const lanes = this.lanes.filter((lane) => lane.usable);
    if (lanes.length < 2) return;
    const now = performance.now();
    for (const thief of lanes) {
      if (thief.queue.length > 0 || thief.open.size >= thief.worker.threads) continue;
      let wanted = thief.run === undefined ? 1 : thief.credits;
      while (wanted-- > 0 && this.#steal(thief, lanes, now));
      this.#feed(thief);
      if (thief.load === 0) this.#help(thief, lanes, now);
    }
  }

  /**
   * Looks for a task that another worker has had for longer than a load takes. A task that is still queued on that
   * worker is withdrawn for the idle worker; a task whose worker is silent is hedged. A task that the worker reports
   * as being read, parsed or run stays: if it never ends there, it would never end here.
   */
  #help(idle: WorkerQueue, lanes: WorkerQueue[], now: number): void {
    const coldMs = this.#ground.coldMs.or(DEFAULT_COLD_MS);
    for (const lane of lanes) {
      if (lane === idle) continue;
      for (const task of lane.open.values()) {
        const ageMs = now - task.assignedAt;
        if (ageMs <= coldMs) break; // tasks are in order of assignment: the others are younger
        const state = lane.states.current(task.id, now);
        const { holders, replay, failedOn } = task;
        if (holders > 1 || replay.begun || failedOn.includes(idle.address)) continue;
        if (state?.phase === 'QUEUED' && idle.worker.hasFreeThread) {
          withdraw(lane, idle, task);
          return;
        }
        if (state !== undefined || !hedgePays(ageMs, coldMs, this.#ground.hedgeAfterMs)) continue;
        if (this.#opened(idle) && idle.credits > 0) this.#hedge(idle, task);
        return;
      }
    }
  }

  #hedge(idle: WorkerQueue, task: QueryTask): void {
    task.displaced = true;
    this.#ground.counters.add('hedges');
    this.#assign(idle, [task]);
  }

  /** Moves one queued task to the thief. @returns false when there is no queued task to steal */
  #steal(thief: WorkerQueue, lanes: WorkerQueue[], now: number): boolean {
    const victim = lanes.reduce((most, lane) => (lane.load > most.load ? lane : most), thief);
    if (victim === thief) return false;
    const coldMs = this.#ground.coldMs.or(DEFAULT_COLD_MS);
    if (!stealPays(victim.asVictim(now), coldMs)) return false;
    const fits = (task: QueryTask): boolean => !task.failedOn.includes(thief.address);
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
    this.#ground.counters.add('steals');
  }

  /** Removes an assigned task from a worker queue. @returns undefined when the queue does not have it */
  take(lane: WorkerQueue, id: number): QueryTask | undefined {
    const task = lane.open.get(id);
    if (task === undefined) return undefined;
    lane.open.delete(id);
    task.holders -= 1;
    this.#inFlight -= 1;
    return task;
  }

  /** Cancels the task on every worker but `by`, when one worker of a hedged task sends its result. */
  claim(task: QueryTask, by?: WorkerQueue): void {
    const own = by?.open.has(task.id) ? 1 : 0;
    if (task.holders === own) return;
    for (const lane of this.#lanes.values()) if (lane !== by) this.drop(lane, task.id);
  }

  /** Cancels an assigned task on its worker and removes it from the worker queue. */
  drop(lane: WorkerQueue, id: number): void {
    if (this.take(lane, id) === undefined) return;
    this.#spent(lane.states.threadMs(id));
    lane.run?.cancelTasks([id]);
  }

  /** Assigns again the tasks that a worker gave back, to the thief if a steal caused it. */
  returned(lane: WorkerQueue, ids: number[]): void {
    for (const id of ids) {
      const task = this.take(lane, id);
      if (task === undefined || task.holders > 0) continue;
      task.attempts -= 1;
      const thief = this.#lanes.get(task.wantedBy ?? '');
      if (thief?.usable === true) this.#moved(task, thief);
      else this.place(task);
    }
  }

  /** Closes the stream of a worker queue. @returns the tasks that were assigned to the worker and had not ended */
  abandon(lane: WorkerQueue): QueryTask[] {
    this.#spent(lane.openThreadMs);
    lane.broken(performance.now());
    const tasks = [...lane.open.keys()].flatMap((id) => this.take(lane, id) ?? []);
    this.empty(lane);
    return tasks;
  }

  /** Cancels all streams, when the query ends before its tasks. */
  cancelAll(): void {
    for (const lane of this.#lanes.values()) {
      this.#spent(lane.openThreadMs);
      lane.run?.cancel();
    }
  }

  /** Places the queued tasks again if the worker is no longer usable. */
  empty(lane: WorkerQueue): void {
    if (!lane.usable) for (const task of lane.queue.clear()) this.place(task);
  }
}

/** Requests a task back from the victim, unless that was requested already. It succeeds if the task has not begun. */
function withdraw(victim: WorkerQueue, thief: WorkerQueue, task: QueryTask): void {
  if (task.wantedBy !== undefined) return;
  task.wantedBy = thief.address;
  victim.run?.withdraw([task.id]);
}
