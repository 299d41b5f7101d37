/**
 * Counts the turns that other users get while a user waits who holds nothing, in every queue for permits. It
 * observes each choice at the moment it is made: a task learns about its permit some microtasks later, and
 * users served in between would be counted as having passed it.
 */
import { vi } from 'vitest';
import { FairQueue, type Turn } from '../scheduling/turns.ts';

type Queue = FairQueue<unknown>;
type HeldBy = (user: string) => number;
type MayStart = (turn: Turn) => boolean;

export class FairnessWatch {
  /** Maximum number of turns that one user got before another who waited and held nothing. */
  most = 0;
  /** Number of turns of users who held more than another who waited and was allowed to go. */
  outOfTurn = 0;
  readonly #queues = new Map<Queue, QueueWatch>();

  /** Observes all queues until mocks are restored. */
  constructor() {
    const { wait, next } = FairQueue.prototype;
    const of = (queue: Queue): QueueWatch => this.#of(queue);
    vi.spyOn(FairQueue.prototype, 'wait').mockImplementation(function (this: Queue, turn, signal) {
      of(this).waits(turn, signal);
      return wait.call(this, turn, signal);
    });
    const served = (queue: Queue, turn: Turn, heldBy: HeldBy, mayStart: MayStart): void => {
      this.most = Math.max(this.most, of(queue).serves(turn, heldBy));
      if (of(queue).held(heldBy, mayStart) < heldBy(turn.user)) this.outOfTurn += 1;
    };
    vi.spyOn(FairQueue.prototype, 'next').mockImplementation(function (
      this: Queue,
      heldBy,
      mayStart,
    ) {
      const waiter = next.call(this, heldBy, mayStart);
      if (waiter !== undefined) served(this, waiter.turn, heldBy, mayStart ?? (() => true));
      return waiter;
    });
  }

  #of(queue: Queue): QueueWatch {
    let watch = this.#queues.get(queue);
    if (watch === undefined) {
      watch = new QueueWatch();
      this.#queues.set(queue, watch);
    }
    return watch;
  }
}

class QueueWatch {
  /** Signals of each query's waiters, in the order in which they came. */
  readonly #waiting = new Map<Turn, AbortSignal[]>();
  /** For each waiting user, how often each other user was served in the meantime. */
  readonly #passed = new Map<string, Map<string, number>>();

  waits(turn: Turn, signal: AbortSignal): void {
    this.#waiting.set(turn, [...(this.#waiting.get(turn) ?? []), signal]);
    signal.addEventListener('abort', () => this.#leaves(turn, signal), { once: true });
  }

  /**
   * Records that the turn was served.
   * @returns how often its user was now served before a user who waits and holds nothing
   */
  serves(turn: Turn, heldBy: HeldBy): number {
    const [first] = this.#waiting.get(turn) ?? [];
    if (first !== undefined) this.#leaves(turn, first);
    this.#passed.delete(turn.user);
    let most = 0;
    for (const user of this.#users()) {
      if (user === turn.user || heldBy(user) > 0) continue;
      const passed = this.#passed.get(user) ?? new Map<string, number>();
      this.#passed.set(user, passed);
      const count = (passed.get(turn.user) ?? 0) + 1;
      passed.set(turn.user, count);
      most = Math.max(most, count);
    }
    return most;
  }

  /** Returns the least number of permits that a waiting user holds, of those who are allowed to go. */
  held(heldBy: HeldBy, mayStart: MayStart): number {
    const turns = [...this.#waiting.keys()].filter(mayStart);
    return Math.min(...turns.map(({ user }) => heldBy(user)));
  }

  #users(): Set<string> {
    return new Set([...this.#waiting.keys()].map(({ user }) => user));
  }

  #leaves(turn: Turn, signal: AbortSignal): void {
    const left = this.#waiting.get(turn)?.filter((one) => one !== signal) ?? [];
    if (left.length > 0) this.#waiting.set(turn, left);
    else this.#waiting.delete(turn);
    if (!this.#users().has(turn.user)) this.#passed.delete(turn.user);
  }
}
