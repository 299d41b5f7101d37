/**
 * The logins, in ClickHouse's table bigtrace.http_logins, so that a logout counts at every replica. A cookie proves a
 * login by itself (login-cookie.ts); the table says whether the login has ended since.
 */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { type Login, sealed, unsealed } from './login-cookie.ts';

const TABLE = 'bigtrace.http_logins';

/** A login counts while it is one of the newest; older ones have ended. */
export const LOGINS_MAX = 1000;
/** How long a replica believes what ClickHouse said: it may not know of a logout at another one. */
const KNOWN_MS = 5000;
const ID_BYTES = 16;

interface Known {
  isLive: boolean;
  /** When ClickHouse said so. */
  atMs: number;
}

export interface LoginsParts {
  database: Pick<ClickHouse, 'count' | 'command'>;
  /** Returns the token of the service as it is now. */
  token: () => string;
  /** How long a login lasts. */
  lifeMs: number;
}

export class Logins {
  readonly #parts: LoginsParts;
  readonly #known = new LRUCache<string, Known>({ max: 10_000 });

  constructor(parts: LoginsParts) {
    this.#parts = parts;
  }

  /** @returns the value of the cookie */
  async begin(name: string): Promise<string> {
    const { database, token, lifeMs } = this.#parts;
    const id = randomBytes(ID_BYTES).toString('base64url');
    const login = { id, name, expiresMs: Date.now() + lifeMs };
    await database.command(
      `INSERT INTO ${TABLE} (id, name, began, expires, ended)
       SELECT ${literal(id)}, ${literal(name)}, now64(3), fromUnixTimestamp64Milli(${login.expiresMs}), 0`,
    );
    return sealed(token(), login);
  }

  /**
   * Returns the login that the cookie's value proves; undefined if it has expired or ended.
   * @throws catalog_failed if ClickHouse is unreachable and this replica has not seen the login yet
   */
  async find(value: string): Promise<Login | undefined> {
    const login = unsealed(this.#parts.token(), value, Date.now());
    return login !== undefined && (await this.#isLive(login.id)) ? login : undefined;
  }

  async end(id: string): Promise<void> {
    this.#known.set(id, { isLive: false, atMs: Date.now() });
    await this.#parts.database.command(
      `INSERT INTO ${TABLE} (id, name, began, expires, ended)
       SELECT id, name, began, expires, 1 FROM ${TABLE} FINAL WHERE id = ${literal(id)}`,
    );
  }

  async #isLive(id: string): Promise<boolean> {
    const known = this.#known.get(id);
    if (known !== undefined && Date.now() - known.atMs < KNOWN_MS) return known.isLive;
    try {
      const newest = `SELECT id FROM ${TABLE} FINAL WHERE ended = 0 AND expires > now64(3)
        ORDER BY began DESC, id LIMIT ${LOGINS_MAX}`;
      const sql = `SELECT count() FROM (${newest}) WHERE id = ${literal(id)}`;
      const isListed = (await this.#parts.database.count(sql)) > 0;
      // A logout at this replica may have come in between.
      const now = this.#known.get(id);
      const isLive = isListed && (now === known || now?.isLive !== false);
      this.#known.set(id, { isLive, atMs: Date.now() });
      return isLive;
    } catch (thrown) {
      if (known === undefined) throw thrown;
      return known.isLive; // no replica can record a logout now either
    }
  }
}
