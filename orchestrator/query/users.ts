/** Enforces the limits of each user: running queries, result bytes and core-seconds. */
import { BigtraceError } from '../../lib/common/errors.ts';

export interface UserBounds {
  /** Maximum number of running queries of one user. */
  userQueriesMax: number;
  /** Maximum result bytes of one user within an hour; 0: unlimited. */
  userResultBytesMax: number;
  /** Maximum engine-thread seconds of one user within an hour; 0: unlimited. */
  userCoreSecondsMax: number;
}

const HOUR_MS = 3_600_000;
/** Maximum number of users remembered; beyond it, the user without running queries that has not tried a query for longest is forgotten. */
const USERS_MAX = 10_000;

/** A leaky bucket: use decays at a constant rate of `max` per hour. */
class Budget {
  readonly #max: number;
  #used = 0;
  #at: number;

  constructor(max: number, now: number) {
    this.#max = max;
    this.#at = now;
  }

  used(now: number): number {
    this.#used = Math.max(0, this.#used - ((now - this.#at) * this.#max) / HOUR_MS);
    this.#at = now;
    return this.#used;
  }

  add(amount: number, now: number): void {
    this.#used = this.used(now) + amount;
  }

  isSpent(now: number): boolean {
    return this.#max > 0 && this.used(now) > this.#max;
  }

  /** Returns the time in ms until the use is back at the limit. */
  waitMs(now: number): number {
    return ((this.used(now) - this.#max) / this.#max) * HOUR_MS;
  }
}

interface User {
  running: number;
  bytes: Budget;
  coreSeconds: Budget;
}

export class Users {
  readonly #bounds: UserBounds;
  readonly #now: () => number;
  /** By name, the one that has not tried a query for longest first. */
  readonly #users = new Map<string, User>();

  /** @param now a monotonic clock in ms */
  constructor(bounds: UserBounds, now: () => number = () => performance.now()) {
    this.#bounds = bounds;
    this.#now = now;
  }

  get size(): number {
    return this.#users.size;
  }

  /** Returns the number of running queries of the user. */
  running(name: string): number {
    return this.#users.get(name)?.running ?? 0;
  }

  /** Begins a query of the user. @returns a function that ends it @throws too_many_queries, limit_exceeded */
  begin(name: string): () => void {
    const { userQueriesMax } = this.#bounds;
    const user = this.#user(name);
    this.#users.delete(name);
    this.#users.set(name, user);
    this.check(name);
    if (user.running >= userQueriesMax)
      throw new BigtraceError(
        'too_many_queries',
        `too many queries of user ${name}: ${user.running} are running (--user-queries ${userQueriesMax}); try again when one has ended`,
      );
    user.running += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      user.running -= 1;
    };
  }

  /** @throws limit_exceeded when a budget of the user is spent */
  check(name: string): void {
    const error = this.#overBudget(name, this.#user(name));
    if (error !== undefined) throw error;
  }

  /** @returns limit_exceeded, to end the query with, when a budget is spent */
  addResultBytes(name: string, bytes: number): BigtraceError | undefined {
    const user = this.#user(name);
    user.bytes.add(bytes, this.#now());
    return this.#overBudget(name, user);
  }

  /** @returns limit_exceeded, to end the query with, when a budget is spent */
  addThreadMs(name: string, ms: number): BigtraceError | undefined {
    const user = this.#user(name);
    user.coreSeconds.add(ms / 1000, this.#now());
    return this.#overBudget(name, user);
  }

  #overBudget(name: string, { bytes, coreSeconds }: User): BigtraceError | undefined {
    const { userResultBytesMax, userCoreSecondsMax } = this.#bounds;
    const now = this.#now();
    if (bytes.isSpent(now))
      return overBudget(
        name,
        `${userResultBytesMax} result bytes`,
        `--user-result-bytes ${userResultBytesMax}`,
        bytes.waitMs(now),
      );
    if (coreSeconds.isSpent(now))
      return overBudget(
        name,
        `${userCoreSecondsMax} core-seconds`,
        `--user-core-seconds ${userCoreSecondsMax}`,
        coreSeconds.waitMs(now),
      );
    return undefined;
  }

  #user(name: string): User {
    let user = this.#users.get(name);
    if (user === undefined) {
      const { userResultBytesMax, userCoreSecondsMax } = this.#bounds;
      const now = this.#now();
      user = {
        ...{ running: 0, bytes: new Budget(userResultBytesMax, now) },
        coreSeconds: new Budget(userCoreSecondsMax, now),
      };
      this.#users.set(name, user);
      this.#forget();
    }
    return user;
  }

  #forget(): void {
    if (this.#users.size <= USERS_MAX) return;
    for (const [name, { running }] of this.#users) {
      if (running > 0) continue;
      this.#users.delete(name);
      return;
    }
  }
}

function overBudget(name: string, amount: string, option: string, waitMs: number): BigtraceError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new BigtraceError(
    'limit_exceeded',
    `user ${name} has used the ${amount} of an hour (${option}); try again in ${seconds} s`,
  );
}
