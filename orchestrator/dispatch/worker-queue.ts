/** One worker's part in one query: what waits for it, what it has, and the stream to it. */
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
  /** Placed here, not yet assigned. */
  readonly queue = new TaskQueue();
  /** Assigned and unanswered, oldest first. */
  readonly open = new Map<number, QueryTask>();
  /** What its worker says that it is doing with them. */
  readonly states = new TaskStates();
  readonly #taskMs = new Mean();
  run: WorkerRun | undefined;
  /** So many more traces may be assigned. */
  credits = 0;
  draining = false;
  /** How often its stream broke in this query. */
  #breaks = 0;
  /** No new stream before this time (performance.now()). */
  opensAt = 0;

  constructor(worker: FleetWorker) {
    this.worker = worker;
  }

  get address(): string {
    return this.worker.address;
  }

  get seed(): number {
    return this.worker.seed;
  }

  get load(): number {
    return this.queue.length + this.open.size;
  }

  /** Thread time of what it has, as far as its worker has said so. */
  get openThreadMs(): number {
    return [...this.open.keys()].reduce((sum, id) => sum + this.states.threadMs(id), 0);
  }

  /** Whether new traces may go to it. */
  get usable(): boolean {
    return this.worker.usable && !this.draining;
  }

  /** @param ms what one trace took on its thread */
  answered(ms: number): void {
    this.#taskMs.add(ms);
  }

  /** Its stream is gone; the next one waits longer each time. */
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
