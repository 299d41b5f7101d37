/**
 * The storage of `bigtrace materialize`: the table bigtrace_results.NAME_rows, the view NAME over it, and the ledger
 * bigtrace.materialized_traces, which names for each trace the run whose rows are valid.
 *
 * Runs may overlap, and may be killed between any two statements. This is safe because:
 * - A run fills a table of its own with the first batch, and gives it the name NAME_rows when that has succeeded, unless
 *   another run has done so before. So nobody drops a table that another run fills.
 * - Each batch has its own run number; they ascend (lib/clickhouse/run-lock). Its rows carry that number, and
 *   are invisible until the ledger names it for their trace. If two runs queried the same trace, the later one wins.
 * - A table that is dropped and created again has a new first run; ledger entries before it are ignored.
 * - Only rows that a ledger entry has replaced are deleted, never rows of a run that may still be writing.
 *
 * In a Replicated database, all servers of a cluster have the table. Before the ledger names a run, they have its rows; before
 * rows are deleted, they have the ledger. The statements that delete name the rows: a server that evaluated a subquery might
 * delete others.
 */

import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import { clickHouseErrorType } from '../../lib/clickhouse/errors.ts';
import { onAllServers, replicationIn, tableEngine } from '../../lib/clickhouse/replicated.ts';
import { textFromHex } from '../../lib/common/text/byte-text.ts';
import { identifier, literal } from '../../lib/common/text/sql-literal.ts';
import { badRequest } from '../http-error.ts';
import { RESULTS } from '../queries/plan.ts';

const LEDGER_TABLE = 'materialized_traces';
const LEDGER = `bigtrace.${LEDGER_TABLE}`;
const RUN = '_run';
const ADDRESS = '_trace_address';

export interface TraceGeneration {
  address: string;
  generation: string;
}

export interface TableColumn {
  name: string;
  type: string;
}

/** Rows to delete are read in so many pairs of trace and run, and named in statements of so many characters. */
const REPLACED_MAX = 10_000;
const LIST_CHARS_MAX = 128 * 1024; // Keeper takes 1 MiB

/** A query, and so the run of a table that is not published, ends within a day. */
const ABANDONED_DAYS = 1;

export class MaterializedTable {
  readonly #name: string;
  readonly #database: ClickHouse;
  /** Name of the table with the rows. */
  readonly #rowsName: string;
  /** Its SQL name, with the database. */
  readonly #rows: string;
  /** First run of this table. Ledger entries of earlier runs belong to a dropped table of the same name. */
  readonly #firstRun: string;
  /** Columns of the script, without `_run` and `_trace_address`. */
  readonly columns: readonly TableColumn[];

  private constructor(
    name: string,
    database: ClickHouse,
    existing: { rows: string; firstRun: string; columns: readonly TableColumn[] },
  ) {
    this.#name = name;
    this.#database = database;
    this.#rowsName = existing.rows;
    this.#rows = inResults(existing.rows);
    this.#firstRun = existing.firstRun;
    this.columns = existing.columns;
  }

  /** @returns undefined if the table does not exist @throws invalid_option if it was made with other SQL */
  static async find(
    name: string,
    sql: string,
    database: ClickHouse,
  ): Promise<MaterializedTable | undefined> {
    const [table] = await database.rows(
      `SELECT comment FROM system.tables
       WHERE database = ${literal(RESULTS)} AND name = ${literal(`${name}_rows`)}`,
    );
    if (table === undefined) return undefined;
    if (table[0] !== sql)
      throw badRequest(
        `${RESULTS}.${name} was created with another script; choose another name, or drop it and ${name}_rows`,
      );
    const columns = await database.rows(
      `SELECT name, type, comment FROM system.columns
       WHERE database = ${literal(RESULTS)} AND table = ${literal(`${name}_rows`)} ORDER BY position`,
    );
    const own = columns.filter(([column]) => column !== RUN && column !== ADDRESS);
    return new MaterializedTable(name, database, {
      rows: rowsTable(name),
      firstRun: columns.find(([column]) => column === RUN)?.[2] || '0',
      columns: own.map(([column, type]) => ({ name: column ?? '', type: type ?? '' })),
    });
  }

  /** Creates a table that only this run knows, until it is published. @param firstRun a new run number */
  static async create(
    name: string,
    sql: string,
    columns: readonly TableColumn[],
    firstRun: string,
    database: ClickHouse,
  ): Promise<MaterializedTable> {
    for (const column of columns) requireStorable(column);
    const rows = rowsTable(name, firstRun);
    const table = new MaterializedTable(name, database, { rows, firstRun, columns });
    const { engine, settings } = tableEngine('MergeTree', await replicationIn(RESULTS, database));
    const statement = `CREATE TABLE ${inResults(rows)} (
         ${RUN} UInt64 COMMENT ${literal(firstRun)}, ${ADDRESS} String,
         ${columns.map(definition).join(', ')})
       ENGINE = ${engine} ORDER BY ${ADDRESS} ${settings} COMMENT ${literal(sql)}`;
    try {
      await database.command(statement);
    } catch (thrown) {
      await table.drop().catch(() => {}); // only the response may have been lost
      throw thrown;
    }
    return table;
  }

  /** Gives the table its name, under which all runs find it. @returns the table; undefined if another run has made one */
  async publish(): Promise<MaterializedTable | undefined> {
    const rows = rowsTable(this.#name);
    try {
      await this.#database.command(`RENAME TABLE ${this.#rows} TO ${inResults(rows)}`);
    } catch (thrown) {
      if (clickHouseErrorType(thrown) === 'TABLE_ALREADY_EXISTS') return undefined;
      throw thrown;
    }
    const existing = { rows, firstRun: this.#firstRun, columns: this.columns };
    return new MaterializedTable(this.#name, this.#database, existing);
  }

  /**
   * Creates or replaces the view. Every run does so, because the run that created the table may have been killed before
   * it created the view.
   */
  async show(): Promise<void> {
    await this.#database.command(
      `CREATE OR REPLACE VIEW ${RESULTS}.${identifier(this.#name)} AS
       SELECT * EXCEPT (${RUN}) FROM ${inResults(rowsTable(this.#name))}
       WHERE (${ADDRESS}, ${RUN}) IN (SELECT address, run FROM ${this.#ledger})`,
    );
  }

  /**
   * Inserts the rows of `source`. A row with `_hb` other than 0 stands for a failed trace; it gets the run's number
   * with all bits inverted.
   */
  async insert(run: string, source: string, queryId: string): Promise<void> {
    const names = [ADDRESS, ...this.columns.map(({ name }) => name)].map(identifier).join(', ');
    await this.#database.command(
      `INSERT INTO ${this.#rows} (${RUN}, ${names})
       SELECT if(_hb = 0, toUInt64(${run}), ${failedRun(run)}), ${names} FROM ${source}`,
      { queryId, settings: await onAllServers(RESULTS, this.#rowsName, this.#database) },
    );
  }

  async failedTraces(run: string): Promise<string[]> {
    const rows = await this.#database.rows(
      `SELECT DISTINCT hex(${ADDRESS}) FROM ${this.#rows} WHERE ${RUN} = ${failedRun(run)}`,
    );
    return rows.map(([address]) => textFromHex(address));
  }

  /** Makes the rows of this run visible for these traces, and hides the rows of earlier runs. */
  async addToLedger(run: string, traces: readonly TraceGeneration[]): Promise<void> {
    const rows = traces.map(({ address, generation }) => [this.#name, address, generation, run]);
    const columns = ['table_name', 'address', 'generation', 'run'];
    if (rows.length === 0) return;
    const settings = await onAllServers('bigtrace', LEDGER_TABLE, this.#database);
    await this.#database.insert(LEDGER, columns, [rows], { settings });
  }

  /** Whether the ledger has no trace of this table yet. */
  async isEmpty(): Promise<boolean> {
    return (await this.#database.count(`SELECT count() FROM ${this.#ledger}`)) === 0;
  }

  /** Drops a table that was not published. */
  async drop(): Promise<void> {
    await this.#database.command(`DROP TABLE IF EXISTS ${this.#rows}`);
  }

  /** Drops the tables of runs that were killed before they published them. */
  async removeAbandoned(): Promise<void> {
    const prefix = `${this.#name}_rows_`;
    const rows = await this.#database.rows(
      `SELECT substring(name, ${prefix.length + 1}) AS run FROM system.tables
       WHERE database = ${literal(RESULTS)} AND startsWith(name, ${literal(prefix)}) AND match(run, '^[0-9]{15,20}$')
         AND snowflakeIDToDateTime64(toUInt64OrZero(run)) < now() - INTERVAL ${ABANDONED_DAYS} DAY`,
    );
    for (const [run] of rows)
      await this.#database.command(
        `DROP TABLE IF EXISTS ${inResults(rowsTable(this.#name, run ?? ''))}`,
      );
  }

  /** SQL condition: the ledger has this trace with this generation. */
  isCurrent(address: string, generation: string): string {
    return `(${address}, ${generation}) IN (SELECT address, generation FROM ${this.#ledger})`;
  }

  /** Deletes rows that a later run has replaced, and the rows that record the failed traces of these runs. */
  async removeReplaced(runs: readonly string[]): Promise<void> {
    for (const list of lists(await this.#marksOf(runs))) await this.#delete(`${RUN} IN (${list})`);
    const isReplicated = (await replicationIn(RESULTS, this.#database)) !== 'none';
    for (let after = { address: "''", run: '0' }; ; ) {
      const rows = await this.#database.rows(
        `SELECT hex(r.${ADDRESS}), toString(r.${RUN}) ${this.#replaced}
           AND r.${ADDRESS} >= ${after.address} AND (r.${ADDRESS}, r.${RUN}) > (${after.address}, ${after.run})
         GROUP BY r.${ADDRESS}, r.${RUN} ORDER BY r.${ADDRESS}, r.${RUN} LIMIT ${REPLACED_MAX}`,
      );
      const replaced = rows.map(([address, run]) => ({
        ...{ address: literal(textFromHex(address)), run: run ?? '' },
      }));
      const last = replaced.at(-1);
      if (last === undefined) return;
      // Each statement reads the whole table.
      if (!isReplicated)
        return this.#delete(
          `(${ADDRESS}, ${RUN}) IN (SELECT r.${ADDRESS}, r.${RUN} ${this.#replaced})`,
        );
      for (const list of lists(replaced.map(({ address, run }) => `(${address}, ${run})`)))
        await this.#delete(`(${ADDRESS}, ${RUN}) IN (${list})`);
      if (replaced.length < REPLACED_MAX) return;
      after = last;
    }
  }

  /** Returns the numbers of rows that record failed traces of these runs, as far as there are any. */
  async #marksOf(runs: readonly string[]): Promise<string[]> {
    if (runs.length === 0) return [];
    const rows = await this.#database.rows(
      `SELECT toString(${RUN}) AS run FROM ${this.#rows} WHERE ${RUN} IN (${runs.map(failedRun).join(', ')}) GROUP BY run`,
    );
    return rows.map(([run]) => run ?? '');
  }

  #delete(condition: string): Promise<void> {
    return this.#database.command(`DELETE FROM ${this.#rows} WHERE ${condition}`);
  }

  /** SQL: where the rows are that a later run has replaced, as `r`. */
  get #replaced(): string {
    return `FROM ${this.#rows} AS r
      INNER JOIN (SELECT address, run FROM ${this.#ledger}) AS l ON l.address = r.${ADDRESS}
      WHERE least(r.${RUN}, bitNot(r.${RUN})) < l.run`;
  }

  get #ledger(): string {
    return `(SELECT address, generation, run FROM ${LEDGER} FINAL
      WHERE table_name = ${literal(this.#name)} AND run > ${this.#firstRun})`;
  }
}

/** SQL condition in place of MaterializedTable.known() while the table does not exist. */
export const NONE_CURRENT = 'false';

/** @param firstRun of a table that is not published */
function rowsTable(name: string, firstRun?: string): string {
  const suffix = firstRun === undefined ? '' : `_${firstRun}`;
  return `${name}_rows${suffix}`;
}

function inResults(table: string): string {
  return `${RESULTS}.${identifier(table)}`;
}

/** Joins the items to lists that are not longer than LIST_CHARS_MAX, unless one item is. */
function lists(items: readonly string[]): string[] {
  const all: string[] = [];
  for (const item of items) {
    const last = all.at(-1);
    if (last === undefined || last.length + item.length + 2 > LIST_CHARS_MAX) all.push(item);
    else all[all.length - 1] = `${last}, ${item}`;
  }
  return all;
}

function definition({ name, type }: TableColumn): string {
  return `${identifier(name)} ${type}`;
}

/** SQL for the run number of failure rows. No visible row has it: run numbers are below 2^63, these are above. */
function failedRun(run: string): string {
  return `bitNot(toUInt64(${run}))`;
}

function requireStorable({ name, type }: TableColumn): void {
  if (name === RUN) throw badRequest(`column ${RUN} of the script must have another name`);
  if (/\bNothing\b/.test(type))
    throw badRequest(
      `column ${name} has no value in any of the first traces, so its type is not known; ` +
        `pass the types with --structure, such as --structure '${identifier(name)} Nullable(Int64)'`,
    );
}
