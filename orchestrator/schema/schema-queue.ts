/**
 * The turns of column finding, apart from those of queries: some at a time of each user and of all, round
 * robin over users. Who finds columns for ClickHouse holds one of the few processes of its pool meanwhile, so
 * nobody waits long: where a user's turns do not move, the next one is refused at once.
 */
import { BigtraceError } from '../../lib/common/errors.ts';

export interface ColumnFindingBounds {
  /** Searches of one user at a time. */
  userSchemasMax: number;
  /** Searches of all users at a time. */
  schemasMax: number;
}

const WAIT_MS_MAX = 2000;
/** A user's turns that none of has ended for so long do not move. */
const STUCK_MS = 1000;

interface Waiter {
  grant(): void;
}

interface User {
  running: number;
  /** When one ended last, or the first began. */
  movedAt: number;
  readonly waiters: Set<Waiter>;
}

export class ColumnFindingQueue {
  readonly #bounds: ColumnFindingBounds;
  /** Those whose turn is next in front. */
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

  /** @returns what ends the turn @throws too_many_queries, or the signal's reason */
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
          this.#running += 1; // before anybody else may look
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
        this.#users.delete(name); // to the end of the round
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
    const known = this.#users.get(name);
    if (known !== undefined) return known;
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
      `too many queries whose columns are being found: ${which}; try again, or name the columns yourself (bigtrace_as)`,
    );
  }
}
