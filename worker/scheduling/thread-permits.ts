/**
 * Shares permits for engine threads between users, and each user's share between their queries. A task that
 * has held its permit for longer than `longMs` no longer counts against `threads`, so that short tasks of
 * others do not wait for it. At most `spareThreads` tasks do not count.
 */
import type { Permit } from './permits.ts';
import { FairQueue, type Turn } from './turns.ts';

export interface ThreadPermitOptions {
  /** Maximum number of tasks at the same time, without those that run long. */
  threads: number;
  /** Maximum number of tasks that run long and do not count. */
  spareThreads: number;
  /** A task that has held its permit for this time, in milliseconds, runs long. */
  longMs: number;
  /** Returns whether there is memory for one more engine. */
  hasRoom: () => boolean;
}

export type ThreadPermit = Pick<Permit, 'release'>;

interface Holder {
  turn: Turn;
  sinceMs: number;
  /** Whether it no longer counts against `threads`. */
  long: boolean;
}

/** Delay, in milliseconds, before memory for a spare thread is checked again. */
const ROOM_RETRY_MS = 500;

export class ThreadPermits {
  readonly #options: ThreadPermitOptions;
  /** Running tasks, in the order they began. */
  readonly #holders = new Set<Holder>();
  readonly #waiting = new FairQueue<ThreadPermit>();
  /** Number of holders that run long. */
  #long = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ThreadPermitOptions) {
    this.#options = options;
  }

  get total(): number {
    return this.#options.threads;
  }

  get taken(): number {
    return this.#holders.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Number of running tasks that no longer count against `threads`. */
  get long(): number {
    return this.#long;
  }

  /** Waits for a permit. @throws the signal's reason */
  async acquire(turn: Turn, signal: AbortSignal): Promise<ThreadPermit> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#hasFree() && this.#mayStart(turn))
      return this.#take(turn);
    const granted = this.#waiting.wait(turn, signal);
    this.#serve();
    return granted;
  }

  /**
   * Returns whether one more task may begin. If `threads` tasks count, the oldest stops counting once it runs
   * long, if a spare thread and memory for it are left.
   */
  #hasFree(): boolean {
    const { threads, spareThreads, longMs, hasRoom } = this.#options;
    if (this.#holders.size - this.#long < threads) return true;
    const oldest = this.#oldestCounting();
    if (oldest === undefined || this.#long >= spareThreads) return false;
    if (performance.now() - oldest.sinceMs < longMs || !hasRoom()) return false;
    oldest.long = true;
    this.#long++;
    return true;
  }

  /**
   * Returns whether the task may use a spare thread. A query has at most `threads` tasks on threads, and the
   * last spare thread is for users without a task that runs long; otherwise one query over traces that never
   * load would hold every thread.
   */
  #mayStart({ user, query }: Turn): boolean {
    if (this.#long === 0) return true;
    const { threads, spareThreads } = this.#options;
    let ofQuery = 0;
    let userRunsLong = false;
    for (const { turn, long } of this.#holders) {
      if (turn.query === query) ofQuery++;
      if (long && turn.user === user) userRunsLong = true;
    }
    if (ofQuery >= threads) return false;
    return !userRunsLong || this.#holders.size < threads + spareThreads - 1;
  }

  #oldestCounting(): Holder | undefined {
    for (const holder of this.#holders) if (!holder.long) return holder;
    return undefined;
  }

  #heldBy(user: string): number {
    let count = 0;
    for (const { turn } of this.#holders) if (turn.user === user) count++;
    return count;
  }

  #take(turn: Turn): ThreadPermit {
    const holder: Holder = { turn, sinceMs: performance.now(), long: false };
    this.#holders.add(holder);
    return { release: () => this.#release(holder) };
  }

  #release(holder: Holder): void {
    if (!this.#holders.delete(holder)) return;
    if (holder.long) this.#long--;
    this.#serve();
  }

  #serve(): void {
    while (this.#waiting.size > 0 && this.#hasFree()) {
      const next = this.#waiting.next(
        (user) => this.#heldBy(user),
        (turn) => this.#mayStart(turn),
      );
      if (next === undefined) break;
      next.grant(this.#take(next.turn));
    }
    this.#wakeLater();
  }

  /** Sets a timer for the moment when the next task begins to run long, if a task waits for that. */
  #wakeLater(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { spareThreads, longMs } = this.#options;
    const oldest = this.#oldestCounting();
    if (this.#waiting.size === 0 || this.#long >= spareThreads || oldest === undefined) return;
    const ms = oldest.sinceMs + longMs - performance.now();
    this.#timer = setTimeout(() => this.#serve(), ms > 0 ? ms : ROOM_RETRY_MS);
    this.#timer.unref();
  }
}
