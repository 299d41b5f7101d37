/** One worker's part of one query: its queued and its assigned tasks, and the stream to it. */
import type { FleetWorker } from '../fleet/fleet.ts';
import type { PlacementTarget } from './placement.ts';
import { Mean, type Victim } from './steal.ts';
import { type QueryTask, TaskQueue } from './task.ts';
import { TaskStates } from './task-states.ts';
import type { WorkerRun } from './worker-run.ts';

const REOPEN_MS = 100;
const REOPEN_MS_MAX = 1000;

export class WorkerQueue implements PlacementTarget {
  readonly worker: FleetWorker;
  /** Engine of the worker when the queue was created. */
  readonly engine: string;
  /** Tasks that are placed on this worker and not yet assigned. */
  readonly queue = new TaskQueue();
  /** Tasks that are assigned and have not ended, by id, oldest first. */
  readonly open = new Map<number, QueryTask>();
  /** What the worker last reported about the assigned tasks. */
  readonly states = new TaskStates();
  readonly #taskMs = new Mean();
  run: WorkerRun | undefined;
  /** Number of further tasks that may be assigned. */
  credits = 0;
  draining = false;
  /** How often the stream broke in this query. */
  #breaks = 0;
  /** No new stream is opened before this time, in ms of performance.now(). */
  opensAt = 0;

  constructor(worker: FleetWorker) {
    this.worker = worker;
    this.engine = worker.engine;
  }

  get address(): string {
    return this.worker.address;
  }

  get seed(): number {
    return this.worker.seed;
  }

  get instanceMemoryBytes(): number {
    return this.worker.instanceMemoryBytes;
  }

  get load(): number {
    return this.queue.length + this.open.size;
  }

  /** How many tasks, of all queries, each of the worker's threads has to end before one that is placed now begins. */
  get rounds(): number {
    return Math.floor((this.worker.tasksAssigned + this.queue.length) / this.worker.threads);
  }

  /** Engine-thread time of the assigned tasks, in ms, as far as the worker has reported it. */
  get openThreadMs(): number {
    return [...this.open.keys()].reduce((sum, id) => sum + this.states.threadMs(id), 0);
  }

  /** Whether new tasks may be placed on it. */
  get usable(): boolean {
    return this.worker.usable && !this.draining && this.worker.engine === this.engine;
  }

  /** Records that a task ended. @param ms time that it used an engine thread */
  taskDone(ms: number): void {
    this.#taskMs.add(ms);
  }

  /** Closes the broken stream; the delay before the next one doubles each time, up to REOPEN_MS_MAX. */
  broken(now: number): void {
    this.run?.cancel();
    this.run = undefined;
    this.states.clear();
    this.credits = 0;
    this.opensAt = now + Math.min(REOPEN_MS * 2 ** this.#breaks, REOPEN_MS_MAX);
    this.#breaks += 1;
  }

  asVictim(now: number): Victim {
    let oldestMs = 0;
    for (const task of this.open.values()) {
      oldestMs = now - task.assignedAt;
      break;
    }
    const taskMs = Math.max(this.#taskMs.or(0), oldestMs);
    return { open: this.load, threads: this.worker.threads, taskMs };
  }
}
