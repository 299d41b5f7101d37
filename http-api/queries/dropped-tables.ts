/**
 * Drops the tables of queries, and no other table. ClickHouse drops a table by its name, and since a replica looked at a
 * name, others may have dropped that table, deleted the query, and made a table of that name for another query.
 *
 * So a table is dropped in two steps. First it is renamed, to a name that is used once and says which table was meant.
 * Then the table that has the new name is compared with what was meant: it is dropped, or gets its name back. If a
 * replica dies between the steps, another one does the second (finishAll).
 */
import { randomBytes } from 'node:crypto';
import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import { clickHouseErrorType } from '../../lib/clickhouse/errors.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { RESULTS, type Start, startNamed, startOf, tableOf } from './plan.ts';

/** The table of a start of the query before this version. */
interface Meant extends Start {
  tableName: string;
}

const NEW_NAME = /^dropped_(?<uuid>[0-9a-f]{32})_(?<version>\d+)_[0-9a-f]{8}_(?<tableName>\w+)$/;

export class DroppedTables {
  readonly #database: ClickHouse;

  constructor(database: ClickHouse) {
    this.#database = database;
  }

  /** Drops the table with the query's table name if a start of the query before its version made it. */
  async drop(meant: Meant): Promise<void> {
    const newName = newNameFor(meant);
    if ((await this.#rename(meant.tableName, newName)) !== 'renamed') return;
    await this.#finish(newName, meant);
  }

  /** Does the second step for the tables that replicas have renamed. */
  async finishAll(): Promise<void> {
    const rows = await this.#database.rows(
      `SELECT name FROM system.tables WHERE database = ${literal(RESULTS)} AND startsWith(name, 'dropped_')`,
    );
    for (const [name] of rows) {
      const meant = meantBy(name ?? '');
      if (meant !== undefined) await this.#finish(name ?? '', meant);
    }
  }

  /** @returns the comment of a table in bigtrace_results; undefined if there is no such table */
  async comment(tableName: string): Promise<string | undefined> {
    const [row] = await this.#database.rows(
      `SELECT comment FROM system.tables WHERE database = ${literal(RESULTS)} AND name = ${literal(tableName)}`,
    );
    return row?.[0] ?? undefined;
  }

  async #finish(newName: string, meant: Meant): Promise<void> {
    const comment = await this.comment(newName);
    if (comment === undefined) return; // another replica was faster
    if (!isEarlier(comment, meant)) {
      if ((await this.#rename(newName, meant.tableName)) !== 'taken') return;
      // A later start may have made its table while this one had the new name. Otherwise the rows stay here.
      const holder = startNamed((await this.comment(meant.tableName)) ?? '');
      if (holder === undefined || !isEarlier(comment, holder)) return;
    }
    await this.#database.command(`DROP TABLE IF EXISTS ${tableOf({ tableName: newName })}`);
  }

  async #rename(from: string, to: string): Promise<'renamed' | 'gone' | 'taken'> {
    try {
      await this.#database.command(
        `RENAME TABLE ${tableOf({ tableName: from })} TO ${tableOf({ tableName: to })}`,
      );
      return 'renamed';
    } catch (thrown) {
      const type = clickHouseErrorType(thrown);
      if (type === 'UNKNOWN_TABLE') return 'gone';
      if (type === 'TABLE_ALREADY_EXISTS') return 'taken';
      throw thrown;
    }
  }
}

/** Whether a start of the same query before this one made the table with this comment. */
function isEarlier(comment: string, { uuid, version }: Start): boolean {
  const start = startOf(comment, { uuid });
  return start !== undefined && start < version;
}

function newNameFor({ uuid, version, tableName }: Meant): string {
  const once = randomBytes(4).toString('hex');
  return `dropped_${uuid.replaceAll('-', '')}_${version}_${once}_${tableName}`;
}

function meantBy(newName: string): Meant | undefined {
  const { uuid = '', version, tableName = '' } = NEW_NAME.exec(newName)?.groups ?? {};
  if (version === undefined) return undefined;
  return {
    uuid: uuid.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    version: Number(version),
    tableName,
  };
}
