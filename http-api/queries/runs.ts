/** What ClickHouse says about queries: which run, what tables they have made, how they ended. */
import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import type { BigtraceError } from '../../lib/common/errors.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { badRequest } from '../http-error.ts';
import { BYTES_COMMENT, type Column, columnOf } from './columns.ts';
import { DroppedTables } from './dropped-tables.ts';
import type { Execution } from './history.ts';
import { insertComment, RESULTS, startOf } from './plan.ts';

/** Column that numbers the rows of a table from 0, so that any page is found by its row numbers. */
export const ROW_NUMBER = '_row';

export interface Table {
  /** Version of the start that made it. */
  start: number;
  rows: number;
  columns: Column[];
}

export interface Seen {
  /** Undefined: none has been made, or it was dropped. */
  table: Table | undefined;
  running: boolean;
}

/** How the INSERT of a start ended; undefined: it did not begin, or ClickHouse stopped before it ended. */
export type Ending = 'finished' | BigtraceError | undefined;

export class Runs {
  readonly #database: ClickHouse;
  readonly #dropped: DroppedTables;

  constructor(database: ClickHouse) {
    this.#database = database;
    this.#dropped = new DroppedTables(database);
  }

  /**
   * Looks at the tables first: ClickHouse makes the table of a start before it runs the INSERT, so a start that has a
   * table and does not run has ended, or its replica is between the two statements.
   */
  async look(executions: readonly Execution[]): Promise<Map<string, Seen>> {
    if (executions.length === 0) return new Map();
    const tables = await this.#tables(executions);
    const ids = executions.map(({ uuid }) => literal(uuid)).join(', ');
    const rows = await this.#database.rows(
      `SELECT query_id FROM system.processes WHERE query_id IN (${ids})`,
    );
    const running = new Set(rows.map(([id]) => id));
    return new Map(
      executions.map(({ uuid }) => [uuid, { table: tables.get(uuid), running: running.has(uuid) }]),
    );
  }

  async table(execution: Execution): Promise<Table | undefined> {
    return (await this.#tables([execution])).get(execution.uuid);
  }

  async ending(execution: Execution): Promise<Ending> {
    await this.#database.command('SYSTEM FLUSH LOGS query_log');
    const [row] = await this.#database.rows(
      `SELECT toString(type), exception FROM system.query_log
       WHERE query_id = ${literal(execution.uuid)} AND log_comment = ${literal(insertComment(execution))}
         AND type != 'QueryStart' AND exception_code != 216
       ORDER BY event_time_microseconds DESC LIMIT 1`,
    );
    if (row === undefined) return undefined;
    return row[0] === 'QueryFinish' ? 'finished' : this.#database.loggedError(row[1] ?? '');
  }

  async kill(uuid: string): Promise<void> {
    await this.#database.command(`KILL QUERY WHERE query_id = ${literal(uuid)} ASYNC`);
  }

  /** Kills the queries that the history says have ended: a query that ends by itself runs no more when it says so. */
  async killEnded(): Promise<void> {
    await this.#database.command(
      `KILL QUERY WHERE query_id IN (
         SELECT uuid FROM bigtrace.query_history FINAL
         WHERE (status != 'IN_PROGRESS' OR deleted) AND written_at > now() - INTERVAL 1 DAY) ASYNC`,
    );
  }

  /** Drops the table that an earlier start made. @throws invalid_option if the table is of no earlier start */
  async dropEarlier(execution: Execution): Promise<void> {
    const comment = await this.#dropped.comment(execution.tableName);
    if (comment === undefined) return;
    const start = startOf(comment, execution);
    if (start === undefined || start >= execution.version)
      throw badRequest(
        `table ${RESULTS}.${execution.tableName} exists already; choose another name`,
      );
    await this.#dropped.drop(execution);
  }

  /** Drops the table of an ended query if the query made it. */
  async drop(execution: Execution): Promise<void> {
    const comment = await this.#dropped.comment(execution.tableName);
    if (comment !== undefined && startOf(comment, execution) !== undefined)
      await this.#dropped.drop(execution);
  }

  /** Ends what replicas have begun that died while they dropped a table. */
  finishDrops(): Promise<void> {
    return this.#dropped.finishAll();
  }

  /** The tables that the queries have made, by the query's ID. */
  async #tables(executions: readonly Execution[]): Promise<Map<string, Table>> {
    const names = executions.map(({ tableName }) => literal(tableName)).join(', ');
    const rows = await this.#database.rows(
      `SELECT t.name, t.comment, toString(t.total_rows), c.name, c.type, c.comment
       FROM system.tables AS t INNER JOIN system.columns AS c ON c.database = t.database AND c.table = t.name
       WHERE t.database = ${literal(RESULTS)} AND t.name IN (${names}) AND c.name != ${literal(ROW_NUMBER)}
       ORDER BY t.name, c.position`,
    );
    const byName = new Map(executions.map((one) => [one.tableName, one]));
    const tables = new Map<string, Table>();
    for (const [name, ofTable, total, column, type, comment] of rows) {
      const execution = byName.get(name ?? '');
      const start = execution && startOf(ofTable ?? '', execution);
      if (execution === undefined || start === undefined) continue;
      const table = tables.get(execution.uuid) ?? { start, rows: Number(total), columns: [] };
      tables.set(execution.uuid, table);
      const base = comment === BYTES_COMMENT ? BYTES_COMMENT : (type ?? '');
      table.columns.push(columnOf(column ?? '', base));
    }
    return tables;
  }
}
