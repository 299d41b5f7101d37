/**
 * Admits column findings, separately from queries: it bounds those that run at the same time per user and in all, and
 * serves users in round robin. A bridge that waits for columns occupies one of the few processes of ClickHouse's pool,
 * so waits are short: when no turn of a user has ended for STUCK_MS, the next request is refused at once.
 */
import { BigtraceError } from '../../lib/common/errors.ts';

export interface ColumnFindingBounds {
  /** Maximum number of column findings of one user at the same time. */
  userSchemasMax: number;
  /** Maximum number of column findings of all users at the same time. */
  schemasMax: number;
}

const WAIT_MS_MAX = 2000;
/** Time without an ended turn after which a user's turns count as stuck. */
const STUCK_MS = 1000;

interface Waiter {
  grant(): void;
}

interface User {
  running: number;
  /** When a turn last ended, or the first one began, in ms of performance.now(). */
  movedAt: number;
  readonly waiters: Set<Waiter>;
}

export class ColumnFindingQueue {
  readonly #bounds: ColumnFindingBounds;
  /** By name; the user whose turn is next is first. */
  readonly #users = new Map<string, User>();
  #running = 0;

  constructor(bounds: ColumnFindingBounds) {
    this.#bounds = bounds;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return [...this.#users.values()].reduce((sum, { waiters }) => sum + waiters.size, 0);
  }

  /** Waits for a turn. @returns a function that ends it @throws too_many_queries, or the reason of `signal` */
  async enter(name: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const user = this.#user(name);
    if (this.#mayRun(user)) return this.#begin(name, user);
    const stuck = user.running > 0 && performance.now() - user.movedAt > STUCK_MS;
    if (stuck) throw this.#refusal(name, user);
    await this.#wait(name, user, signal);
    return this.#begin(name, user, true);
  }

  #wait(name: string, user: User, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        user.waiters.delete(waiter);
        this.#forget(name, user);
      };
      const waiter: Waiter = {
        grant: () => {
          this.#running += 1; // now, so that no other request takes the turn
          user.running += 1;
          end();
          resolve();
        },
      };
      const abort = (): void => {
        end();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        end();
        reject(this.#refusal(name, user));
      }, WAIT_MS_MAX);
      signal.addEventListener('abort', abort, { once: true });
      user.waiters.add(waiter);
    });
  }

  #begin(name: string, user: User, granted = false): () => void {
    if (!granted) {
      if (user.running === 0) user.movedAt = performance.now();
      this.#running += 1;
      user.running += 1;
    }
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#running -= 1;
      user.running -= 1;
      user.movedAt = performance.now();
      this.#forget(name, user);
      this.#next();
    };
  }

  #next(): void {
    for (const [name, user] of this.#users) {
      if (!this.#mayRun(user)) continue;
      for (const waiter of user.waiters) {
        this.#users.delete(name); // moved to the end of the round
        this.#users.set(name, user);
        waiter.grant();
        return;
      }
    }
  }

  #mayRun(user: User): boolean {
    const { userSchemasMax, schemasMax } = this.#bounds;
    return user.running < userSchemasMax && this.#running < schemasMax;
  }

  #user(name: string): User {
    const existing = this.#users.get(name);
    if (existing !== undefined) return existing;
    const user = { running: 0, movedAt: performance.now(), waiters: new Set<Waiter>() };
    this.#users.set(name, user);
    return user;
  }

  #forget(name: string, user: User): void {
    if (user.running === 0 && user.waiters.size === 0 && this.#users.get(name) === user)
      this.#users.delete(name);
  }

  #refusal(name: string, { running }: User): BigtraceError {
    const { userSchemasMax, schemasMax } = this.#bounds;
    const which =
      running >= userSchemasMax
        ? `${running} of user ${name} (--user-schemas ${userSchemasMax})`
        : `${this.#running} of all users (--max-schemas ${schemasMax})`;
    return new BigtraceError(
      'too_many_queries',
      `too many column findings are running: ${which}; try again, or pass the columns to bigtrace_as`,
    );
  }
}
