/**
 * The storage of `bigtrace materialize`: the table bigtrace_results.NAME_rows, the view NAME over it, and the ledger
 * bigtrace.materialized_traces, which names for each trace the run whose rows are valid.
 *
 * Runs may overlap, and may be killed between any two statements. This is safe because:
 * - Each batch has its own run number, which ClickHouse generates in ascending order. Its rows carry that number, and
 *   are invisible until the ledger names it for their trace. If two runs queried the same trace, the later one wins.
 * - A table that is dropped and created again has a new first run; ledger entries before it are ignored.
 * - Only rows that a ledger entry has replaced are deleted, never rows of a run that may still be writing.
 */

import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { identifier, literal } from '../../lib/common/text/sql-literal.ts';
import { badRequest } from '../http-error.ts';
import { RESULTS } from '../queries/plan.ts';

const LEDGER = 'bigtrace.materialized_traces';
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

export class MaterializedTable {
  readonly #name: string;
  readonly #database: ClickHouse;
  /** First run of this table. Ledger entries of earlier runs belong to a dropped table of the same name. */
  readonly #firstRun: string;
  /** Columns of the script, without `_run` and `_trace_address`. */
  readonly columns: readonly TableColumn[];

  private constructor(
    name: string,
    database: ClickHouse,
    existing: { firstRun: string; columns: readonly TableColumn[] },
  ) {
    this.#name = name;
    this.#database = database;
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
      firstRun: columns.find(([column]) => column === RUN)?.[2] || '0',
      columns: own.map(([column, type]) => ({ name: column ?? '', type: type ?? '' })),
    });
  }

  /** Creates the table. If another run creates it at the same time, the first one determines the columns. */
  static async create(
    name: string,
    sql: string,
    columns: readonly TableColumn[],
    database: ClickHouse,
  ): Promise<MaterializedTable> {
    for (const column of columns) requireStorable(column);
    const firstRun = await newRun(database);
    await database.command(
      `CREATE TABLE IF NOT EXISTS ${rowsTable(name)} (
         ${RUN} UInt64 COMMENT ${literal(firstRun)}, ${ADDRESS} String,
         ${columns.map(definition).join(', ')})
       ENGINE = MergeTree ORDER BY ${ADDRESS} COMMENT ${literal(sql)}`,
    );
    const table = await MaterializedTable.find(name, sql, database);
    if (table === undefined)
      throw new BigtraceError(
        'catalog_failed',
        `${RESULTS}.${name}_rows was dropped during the run`,
      );
    return table;
  }

  /** Returns a new run number for the rows of a batch. Call it after the table was created. */
  newRun(): Promise<string> {
    return newRun(this.#database);
  }

  /**
   * Creates or replaces the view. Every run does so, because the run that created the table may have been killed before
   * it created the view.
   */
  async show(): Promise<void> {
    await this.#database.command(
      `CREATE OR REPLACE VIEW ${RESULTS}.${identifier(this.#name)} AS
       SELECT * EXCEPT (${RUN}) FROM ${rowsTable(this.#name)}
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
      `INSERT INTO ${rowsTable(this.#name)} (${RUN}, ${names})
       SELECT if(_hb = 0, toUInt64(${run}), ${failedRun(run)}), ${names} FROM ${source}`,
      { queryId },
    );
  }

  async failedTraces(run: string): Promise<string[]> {
    const rows = await this.#database.rows(
      `SELECT DISTINCT ${ADDRESS} FROM ${rowsTable(this.#name)} WHERE ${RUN} = ${failedRun(run)}`,
    );
    return rows.map(([address]) => address ?? '');
  }

  /** Makes the rows of this run visible for these traces, and hides the rows of earlier runs. */
  async addToLedger(run: string, traces: readonly TraceGeneration[]): Promise<void> {
    const rows = traces.map(({ address, generation }) => [this.#name, address, generation, run]);
    const columns = ['table_name', 'address', 'generation', 'run'];
    if (rows.length > 0) await this.#database.insert(LEDGER, columns, [rows]);
  }

  /** Whether the ledger has no trace of this table yet. */
  async isEmpty(): Promise<boolean> {
    return (await this.#database.count(`SELECT count() FROM ${this.#ledger}`)) === 0;
  }

  async drop(): Promise<void> {
    await this.#database.command(`DROP TABLE IF EXISTS ${rowsTable(this.#name)}`);
  }

  /** SQL condition: the ledger has this trace with this generation. */
  isCurrent(address: string, generation: string): string {
    return `(${address}, ${generation}) IN (SELECT address, generation FROM ${this.#ledger})`;
  }

  /** Deletes rows that a later run has replaced, and the rows that record the failed traces of these runs. */
  async removeReplaced(runs: readonly string[]): Promise<void> {
    const marks = runs.map(failedRun).join(', ');
    await this.#database.command(
      `DELETE FROM ${rowsTable(this.#name)} WHERE (${ADDRESS}, ${RUN}) IN (
         SELECT r.${ADDRESS}, r.${RUN} FROM ${rowsTable(this.#name)} AS r
         INNER JOIN (SELECT address, run FROM ${this.#ledger}) AS l ON l.address = r.${ADDRESS}
         WHERE least(r.${RUN}, bitNot(r.${RUN})) < l.run)
       ${runs.length === 0 ? '' : `OR ${RUN} IN (${marks})`}`,
    );
  }

  get #ledger(): string {
    return `(SELECT address, generation, run FROM ${LEDGER} FINAL
      WHERE table_name = ${literal(this.#name)} AND run > ${this.#firstRun})`;
  }
}

/** SQL condition in place of MaterializedTable.known() while the table does not exist. */
export const NONE_CURRENT = 'false';

function rowsTable(name: string): string {
  return `${RESULTS}.${identifier(`${name}_rows`)}`;
}

function definition({ name, type }: TableColumn): string {
  return `${identifier(name)} ${type}`;
}

/** Returns a snowflake ID: greater than all earlier ones, on any server whose clock is correct. */
async function newRun(database: ClickHouse): Promise<string> {
  const [row] = await database.rows('SELECT toString(generateSnowflakeID())');
  return row?.[0] ?? '';
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
