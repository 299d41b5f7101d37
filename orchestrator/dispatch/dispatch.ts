/** Which worker gets which trace of one query, and when: queues, credits, stealing. */
import type { Counters } from '../counters.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { placementFor, preferredWorker } from './placement.ts';
import type { PlacementMemory } from './placement-memory.ts';
import { hedgePays, type Mean, stealPays } from './steal.ts';
import type { QueryTask } from './task.ts';
import { WorkerQueue } from './worker-queue.ts';
import type { WorkerRun } from './worker-run.ts';

/** What queries share for their dispatch. */
export interface DispatchContext {
  fleet: Fleet;
  memory: PlacementMemory;
  /** What it costs to load a trace that is nowhere, as seen lately. */
  coldMs: Mean;
  counters: Counters;
  /** How long a query waits for a worker when there is none. */
  workerWaitMs: number;
  /** Traces of one query that are with workers at a time; 0: as many as these take. */
  tracesInFlightMax: number;
  /** A trace that takes longer is given to an idle worker too; 0: never. */
  hedgeAfterMs: number;
}

/** Before any was seen: rather too much, for after a restart most traces have an image where they belong. */
const DEFAULT_COLD_MS = 1000;

export class Dispatch {
  readonly #ground: DispatchContext;
  readonly #open: (lane: WorkerQueue) => WorkerRun;
  readonly #spent: (threadMs: number) => void;
  readonly #lanes = new Map<string, WorkerQueue>();
  /** Tasks that no worker can take just now. */
  #unassigned: QueryTask[] = [];
  #inFlight = 0;
  #nextId = 1;

  /**
   * @param open opens the stream to a lane's worker
   * @param spent is told of thread time that no answer comes of
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

  /** Tasks that are with workers. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get unassigned(): number {
    return this.#unassigned.length;
  }

  /** A lane for every worker of the fleet; what had no place gets one. */
  adoptWorkers(): void {
    for (const worker of this.#ground.fleet.usable) {
      const lane = this.#lanes.get(worker.address);
      if (lane?.usable === true || (lane !== undefined && lane.load > 0)) continue;
      // A worker that drained, or left, and came back begins anew.
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

  /** Whether a worker is left that `task` has not failed on. */
  othersLeft(task: QueryTask): boolean {
    return this.lanes.some(({ usable, address }) => usable && !task.failedOn.includes(address));
  }

  /** Gives workers with credits what waits for them. */
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

  /** Idle workers take from the one that has most to do, where it pays. */
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
   * Helps with a trace that another worker has had for very long. One that is queued there is withdrawn; one
   * whose worker is silent is given to the idle worker too, and the first to answer counts. One that is being
   * read, parsed or queried stays where it is: what never ends there would never end here.
   */
  #help(idle: WorkerQueue, lanes: WorkerQueue[], now: number): void {
    const coldMs = this.#ground.coldMs.or(DEFAULT_COLD_MS);
    for (const lane of lanes) {
      if (lane === idle) continue;
      for (const task of lane.open.values()) {
        const ageMs = now - task.assignedAt;
        if (ageMs <= coldMs) break; // those behind it are younger
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

  /** One trace. False: there is none to be had just now. */
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

  /** The task, taken from the lane that has it. */
  take(lane: WorkerQueue, id: number): QueryTask | undefined {
    const task = lane.open.get(id);
    if (task === undefined) return undefined;
    lane.open.delete(id);
    task.holders -= 1;
    this.#inFlight -= 1;
    return task;
  }

  /** Takes the task from all other workers that try it as well, and ends it there: the first to answer counts. */
  claim(task: QueryTask, by?: WorkerQueue): void {
    const own = by?.open.has(task.id) ? 1 : 0;
    if (task.holders === own) return;
    for (const lane of this.#lanes.values()) if (lane !== by) this.drop(lane, task.id);
  }

  /** Takes the task from a worker that has not ended it. */
  drop(lane: WorkerQueue, id: number): void {
    if (this.take(lane, id) === undefined) return;
    this.#spent(lane.states.threadMs(id));
    lane.run?.cancelTasks([id]);
  }

  /** Tasks that a worker did not begin. */
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

  /** Closes a lane's stream. @returns what its worker had and did not answer */
  abandon(lane: WorkerQueue): QueryTask[] {
    this.#spent(lane.openThreadMs);
    lane.broken(performance.now());
    const tasks = [...lane.open.keys()].flatMap((id) => this.take(lane, id) ?? []);
    this.empty(lane);
    return tasks;
  }

  /** The query ended before its traces did: their streams are cancelled. */
  cancelAll(): void {
    for (const lane of this.#lanes.values()) {
      this.#spent(lane.openThreadMs);
      lane.run?.cancel();
    }
  }

  /** What waits for a worker that takes nothing more is placed again. */
  empty(lane: WorkerQueue): void {
    if (!lane.usable) for (const task of lane.queue.clear()) this.place(task);
  }
}

/** Asks for a trace back that the victim has not begun, if it was not asked for already. */
function withdraw(victim: WorkerQueue, thief: WorkerQueue, task: QueryTask): void {
  if (task.wantedBy !== undefined) return;
  task.wantedBy = thief.address;
  victim.run?.withdraw([task.id]);
}
