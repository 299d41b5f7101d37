/**
 * Ends queries whose callers have left. Closing the connection is not enough: ClickHouse looks at it only between two
 * reports of progress, and not at all for statements that write. Even a killed query runs on until the function that it
 * is calling returns, so the number of such queries is bounded for each user.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { BigtraceError } from '../common/errors.ts';
import { literal } from '../common/text/sql-literal.ts';
import type { Password } from './password.ts';

/** When to send KILL QUERY, in ms after the caller has left: ClickHouse does not know a query before it has parsed it. */
const KILL_AT_MS = [0, 500, 2000, 5000];
const CLOSE_MS_MAX = 1000;
/** Killed queries of one user that may still run. */
const LEFT_OF_USER_MAX = 4;

export class QueryKiller {
  readonly #client: ClickHouseClient;
  readonly #password: Password;
  /** For each user, the killed queries that ClickHouse has not ended yet. */
  readonly #left = new Map<string, Set<Promise<void>>>();

  /** @param password of a user who sees the queries in system.processes, and may kill them */
  constructor(client: ClickHouseClient, password: Password) {
    this.#client = client;
    this.#password = password;
  }

  /**
   * Kills the query when the signal is aborted. If that fails, the query ends by its own limits.
   * @returns a function to call when the query has ended
   * @throws too_many_queries while LEFT_OF_USER_MAX killed queries of the user still run
   */
  onAbort(queryId: string, signal: AbortSignal, user: string): () => void {
    const count = this.#left.get(user)?.size ?? 0;
    if (count >= LEFT_OF_USER_MAX)
      throw new BigtraceError(
        'too_many_queries',
        `ClickHouse has not ended ${count} cancelled queries${user === '' ? '' : ` of user ${user}`} yet; ` +
          'try again when it has',
      );
    const kill = (): void => {
      const killed = this.#kill(queryId).catch(() => undefined);
      const left = this.#left.get(user) ?? new Set();
      this.#left.set(user, left.add(killed));
      void killed.then(() => {
        left.delete(killed);
        if (left.size === 0 && this.#left.get(user) === left) this.#left.delete(user);
      });
    };
    signal.addEventListener('abort', kill, { once: true });
    return () => signal.removeEventListener('abort', kill);
  }

  /** Closes the client when the statements have been sent that end queries. */
  async close(): Promise<void> {
    const all = [...this.#left.values()].flatMap((left) => [...left]);
    const closed = new AbortController();
    // This timer keeps the process running: those of #kill() do not, and who closes still has to say its error.
    const late = sleep(CLOSE_MS_MAX, undefined, { signal: closed.signal }).catch(() => {});
    await Promise.race([Promise.all(all), late]);
    closed.abort();
    await this.#client.close();
  }

  /** Resolves when the query has ended, or ClickHouse has not found it several times. */
  async #kill(queryId: string): Promise<void> {
    const query = `KILL QUERY WHERE query_id = ${literal(queryId)} SYNC`;
    let elapsedMs = 0;
    for (const atMs of KILL_AT_MS) {
      await sleep(atMs - elapsedMs, undefined, { ref: false });
      elapsedMs = atMs;
      const response = await this.#password.with((auth) =>
        this.#client.query({ query, format: 'JSONCompactEachRow', auth }),
      );
      if ((await response.json()).length > 0) return;
    }
  }
}
