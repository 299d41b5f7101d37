/**
 * Permits to run on an engine thread, shared by user, then by query. A task that has run for longer than
 * `longMs` no longer counts, so that short tasks of others do not wait behind it; the number of such tasks,
 * and with it that of spare threads, is bounded.
 */
import type { Permit } from './permits.ts';
import { FairQueue, type Turn } from './turns.ts';

export interface ThreadPermitOptions {
  /** Tasks that may run at once. */
  threads: number;
  /** So many more, beside tasks that run long. */
  spares: number;
  /** A task that has run for longer runs long. */
  longMs: number;
  /** Whether there is memory for one more engine. */
  hasRoom: () => boolean;
}

export type ThreadPermit = Pick<Permit, 'release'>;

interface Holder {
  turn: Turn;
  sinceMs: number;
  long: boolean;
}

/** How long until memory is looked at again, where there was none for a spare thread. */
const ROOM_RETRY_MS = 500;

export class ThreadPermits {
  readonly #options: ThreadPermitOptions;
  /** In the order they began. */
  readonly #holders = new Set<Holder>();
  readonly #waiting = new FairQueue<ThreadPermit>();
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

  /** Tasks that run and no longer count. */
  get long(): number {
    return this.#long;
  }

  /** @throws the signal's reason. */
  async acquire(turn: Turn, signal: AbortSignal): Promise<ThreadPermit> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#hasFree() && this.#mayGo(turn)) return this.#take(turn);
    const granted = this.#waiting.wait(turn, signal);
    this.#serve();
    return granted;
  }

  /** Whether one more task may begin; where all that count have run long, they stop counting one by one. */
  #hasFree(): boolean {
    const { threads, spares, longMs, hasRoom } = this.#options;
    if (this.#holders.size - this.#long < threads) return true;
    const oldest = this.#oldestCounting();
    if (oldest === undefined || this.#long >= spares) return false;
    if (performance.now() - oldest.sinceMs < longMs || !hasRoom()) return false;
    oldest.long = true;
    this.#long++;
    return true;
  }

  /**
   * Spare threads are for other queries than those that run long, and the last one for other users: else one
   * query over traces that never load would hold them all.
   */
  #mayGo({ user, query }: Turn): boolean {
    if (this.#long === 0) return true;
    const { threads, spares } = this.#options;
    let ofQuery = 0;
    let userRunsLong = false;
    for (const { turn, long } of this.#holders) {
      if (turn.query === query) ofQuery++;
      if (long && turn.user === user) userRunsLong = true;
    }
    if (ofQuery >= threads) return false;
    return !userRunsLong || this.#holders.size < threads + spares - 1;
  }

  #oldestCounting(): Holder | undefined {
    for (const holder of this.#holders) if (!holder.long) return holder;
    return undefined;
  }

  #heldBy(user: string): number {
    let held = 0;
    for (const { turn } of this.#holders) if (turn.user === user) held++;
    return held;
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
        (turn) => this.#mayGo(turn),
      );
      if (next === undefined) break;
      next.grant(this.#take(next.turn));
    }
    this.#wakeLater();
  }

  /** Looks again when the next task begins to run long, if somebody waits for that. */
  #wakeLater(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { spares, longMs } = this.#options;
    const oldest = this.#oldestCounting();
    if (this.#waiting.size === 0 || this.#long >= spares || oldest === undefined) return;
    const ms = oldest.sinceMs + longMs - performance.now();
    this.#timer = setTimeout(() => this.#serve(), ms > 0 ? ms : ROOM_RETRY_MS);
    this.#timer.unref();
  }
}
