/**
 * Orders the tasks that wait for a permit: turns are shared between users, then between the queries of each user.
 */
export interface Turn {
  readonly user: string;
  /** Identity of the query; only compared. */
  readonly query: object;
}

interface Waiter<Grant> {
  turn: Turn;
  /** Resolves the waiter's promise with the permit. */
  grant: (granted: Grant) => void;
}

interface QueryQueue<Grant> {
  turn: Turn;
  /** Waiters of one query, first come, first served. */
  waiters: Set<Waiter<Grant>>;
}

export class FairQueue<Grant> {
  /** Users in the order of their next turn; for each, their queries in the order of their next turn. */
  readonly #users = new Map<string, Map<object, QueryQueue<Grant>>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Waits until `next` returns this waiter and the caller grants it. @throws the signal's reason */
  wait(turn: Turn, signal: AbortSignal): Promise<Grant> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#remove(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter<Grant> = {
        turn,
        grant: (granted) => {
          signal.removeEventListener('abort', onAbort);
          resolve(granted);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#add(waiter);
    });
  }

  /**
   * Removes and returns the next waiter: of the users who have a waiter that may go, the one who holds least, in
   * turn among equals; then that user's queries in turn. The user and the query move to the end of their rounds.
   */
  next(
    heldBy: (user: string) => number,
    mayStart: (turn: Turn) => boolean = () => true,
  ): Waiter<Grant> | undefined {
    let least = Number.POSITIVE_INFINITY;
    let best: QueryQueue<Grant> | undefined;
    for (const [user, queries] of this.#users) {
      const count = heldBy(user);
      if (count >= least) continue;
      for (const queue of queries.values()) {
        if (!mayStart(queue.turn)) continue;
        best = queue;
        least = count;
        break;
      }
    }
    const [waiter] = best?.waiters ?? [];
    if (waiter === undefined) return undefined;
    this.#remove(waiter);
    this.#endTurn(waiter.turn);
    return waiter;
  }

  #add(waiter: Waiter<Grant>): void {
    const { user, query } = waiter.turn;
    let queries = this.#users.get(user);
    if (queries === undefined) {
      queries = new Map();
      this.#users.set(user, queries);
    }
    const queue = queries.get(query);
    if (queue === undefined) queries.set(query, { turn: waiter.turn, waiters: new Set([waiter]) });
    else queue.waiters.add(waiter);
    this.#size++;
  }

  #remove(waiter: Waiter<Grant>): void {
    const { user, query } = waiter.turn;
    const queries = this.#users.get(user);
    const queue = queries?.get(query);
    if (queries === undefined || queue?.waiters.delete(waiter) !== true) return;
    this.#size--;
    if (queue.waiters.size === 0) queries.delete(query);
    if (queries.size === 0) this.#users.delete(user);
  }

  #endTurn({ user, query }: Turn): void {
    const queries = this.#users.get(user);
    if (queries === undefined) return;
    toTheEnd(this.#users, user, queries);
    const queue = queries.get(query);
    if (queue !== undefined) toTheEnd(queries, query, queue);
  }
}

function toTheEnd<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  map.set(key, value);
}
