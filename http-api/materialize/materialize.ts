/**
 * `bigtrace materialize`: stores the rows of a script over many traces in a table. A later run reads only new and
 * changed traces.
 */
import { randomUUID } from 'node:crypto';
import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import { oneServerLock, type RunLock } from '../../lib/clickhouse/run-lock/run-lock.ts';
import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import { textFromHex } from '../../lib/common/text/byte-text.ts';
import { arrayLiteral, identifier, literal } from '../../lib/common/text/sql-literal.ts';
import { badRequest } from '../http-error.ts';
import { checkTableName } from '../queries/table-name.ts';
import type { Settings } from '../settings.ts';
import { chosenTraces } from '../sql/chosen-traces.ts';
import {
  MaterializedTable,
  NONE_CURRENT,
  type TableColumn,
  type TraceGeneration,
} from './materialized-table.ts';

/** Traces per query. A killed run loses at most the work of one such batch. */
const BATCH_TRACES = 1000;

export interface MaterializePlan {
  name: string;
  sql: string;
  settings: Settings;
  /** Names and types of the script's columns; undefined: column finding over the first traces determines them. */
  structure: string | undefined;
}

export interface Materialized {
  /** Traces that this run queried. The next run queries those that failed again. */
  asked: number;
  failed: number;
  /** Message of the first failure, for display. */
  firstFailure: string | undefined;
}

/**
 * Brings the table up to date, batch by batch. The rows of a batch become visible together, when its traces are written
 * to the ledger. Concurrent runs and killed runs end in the same table (see materialized-table.ts).
 * @throws invalid_option if a table of that name was made with other SQL or other types; type_mismatch for a value that
 * the table cannot hold; the error of the first query
 */
export async function materialize(
  plan: MaterializePlan,
  database: ClickHouse,
  onBatch: (sofar: Materialized) => void,
  lock: RunLock = oneServerLock(database),
): Promise<Materialized> {
  const run = new MaterializeRun(plan, database, lock);
  await run.start();
  const sofar: Materialized = { asked: 0, failed: 0, firstFailure: undefined };
  for (let after = ''; ; ) {
    const batch = await run.outdated(after);
    const last = batch.at(-1);
    if (last === undefined) break;
    after = last.address;
    const failures = await run.runBatch(batch);
    sofar.asked += batch.length;
    sofar.failed += failures.size;
    sofar.firstFailure ??= failures.values().next().value;
    onBatch(sofar);
  }
  await run.end();
  return sofar;
}

/** A batch whose rows are in the table. */
interface Inserted {
  run: string;
  batch: readonly TraceGeneration[];
  /** Address and message of each trace that failed. */
  failures: Map<string, string>;
}

function addressesOf(batch: readonly TraceGeneration[]): string {
  return arrayLiteral(batch.map(({ address }) => address));
}

class MaterializeRun {
  readonly #plan: MaterializePlan;
  readonly #database: ClickHouse;
  readonly #lock: RunLock;
  readonly #runs: string[] = [];
  #table: MaterializedTable | undefined;

  constructor(plan: MaterializePlan, database: ClickHouse, lock: RunLock) {
    checkTableName(plan.name);
    this.#plan = plan;
    this.#database = database;
    this.#lock = lock;
  }

  async start(): Promise<void> {
    const { name, sql, structure } = this.#plan;
    this.#table = await MaterializedTable.find(name, sql, this.#database);
    if (this.#table === undefined || structure === undefined) return;
    const columns = await this.#describe(`null(${literal(structure)})`);
    const texts = (columns: readonly TableColumn[]): string =>
      columns.map((column) => `${column.name} ${column.type}`).join(', ');
    if (texts(columns) !== texts(this.#table.columns))
      throw badRequest(
        `bigtrace_results.${name} has the columns ${texts(this.#table.columns)}; ` +
          `to give it those of --structure, drop it and ${name}_rows`,
      );
  }

  /**
   * Returns the first traces, in address order after `after`, that are new or have another generation than the ledger.
   */
  async outdated(after: string): Promise<TraceGeneration[]> {
    const isCurrent = this.#table?.isCurrent('address', 'generation') ?? NONE_CURRENT;
    const { from, condition, settings: end } = chosenTraces(this.#plan.settings);
    const rows = await this.#database.rows(
      `SELECT hex(address), generation FROM ${from}
       WHERE ${condition} AND address > ${literal(after)} AND error_code = '' AND NOT ${isCurrent}
       ORDER BY address LIMIT ${BATCH_TRACES}${end}`,
    );
    return rows.map(([address, generation]) => ({
      address: textFromHex(address),
      generation: generation ?? '',
    }));
  }

  /** Runs the script on a batch and adds its rows. @returns address and message of each trace that failed */
  async runBatch(batch: readonly TraceGeneration[]): Promise<Map<string, string>> {
    this.#table ??= await MaterializedTable.find(this.#plan.name, this.#plan.sql, this.#database);
    if (this.#table === undefined) return this.#firstBatch(batch);
    try {
      const inserted = await this.#insert(this.#table, batch);
      return await this.#show(this.#table, inserted);
    } catch (thrown) {
      const error = asBigtraceError(thrown);
      if (error.code === 'all_failed' && !(await this.#table.isEmpty().catch(() => false)))
        return new Map(batch.map(({ address }) => [address, error.message]));
      throw error.code === 'type_mismatch' ? this.#withRemedy(error, this.#table, false) : error;
    }
  }

  /** Runs the first batch of a new table. If it fails, there is no table, and the next run may find other types. */
  async #firstBatch(batch: readonly TraceGeneration[]): Promise<Map<string, string>> {
    const table = await this.#create(addressesOf(batch));
    try {
      const inserted = await this.#insert(table, batch);
      this.#table = await table.publish();
      if (this.#table !== undefined) return await this.#show(this.#table, inserted);
    } catch (thrown) {
      const error = asBigtraceError(thrown);
      if (this.#table !== undefined) throw error;
      await table.drop().catch(() => {}); // removeAbandoned() does it later
      throw error.code === 'type_mismatch' ? this.#withRemedy(error, table, true) : error;
    }
    await table.drop();
    return this.runBatch(batch); // into the table that another run has published
  }

  /** Recreates the view and deletes replaced rows. */
  async end(): Promise<void> {
    await this.#lock.check();
    await this.#table?.show();
    await this.#table?.removeReplaced(this.#runs);
    await this.#table?.removeAbandoned();
  }

  /** Inserts the rows of a batch, which are invisible until #show(). */
  async #insert(table: MaterializedTable, batch: readonly TraceGeneration[]): Promise<Inserted> {
    const queryId = randomUUID();
    const run = await this.#lock.newRun(); // after the table was created
    this.#runs.push(run);
    await table.insert(run, this.#source(table, addressesOf(batch)), queryId);
    return { run, batch, failures: await this.#failures(table, run, queryId) };
  }

  async #show(
    table: MaterializedTable,
    { run, batch, failures }: Inserted,
  ): Promise<Map<string, string>> {
    await this.#lock.check();
    await table.addToLedger(
      run,
      batch.filter(({ address }) => !failures.has(address)),
    );
    await table.show();
    return failures;
  }

  /**
   * Returns the SQL source of the batch's rows. It requests the table's own column types, so that a value that does not
   * fit is an error that names it, and is never cast.
   */
  #source(table: MaterializedTable, addresses: string): string {
    const { sql, settings } = this.#plan;
    const structure = table.columns.map(({ name, type }) => `${identifier(name)} ${type}`);
    const viewArguments = `structure = ${literal(structure.join(', '))}, traces = ${addresses}, sql = ${literal(sql)}`;
    return settings.strict
      ? `(SELECT 0 AS _hb, * FROM bigtrace.bigtrace_as(${viewArguments}))`
      : `bigtrace.bigtrace_answers_as(${viewArguments})`;
  }

  async #create(addresses: string): Promise<MaterializedTable> {
    const { name, sql, settings, structure } = this.#plan;
    const view = settings.strict ? 'bigtrace' : 'bigtrace_lenient';
    const columns = await this.#describe(
      structure === undefined
        ? `bigtrace.${view}(traces = ${addresses}, sql = ${literal(sql)})`
        : `null(${literal(structure)})`,
    );
    return MaterializedTable.create(name, sql, columns, await this.#lock.newRun(), this.#database);
  }

  async #describe(source: string): Promise<TableColumn[]> {
    const rows = await this.#database.rows(`DESCRIBE (SELECT * FROM ${source})`);
    return rows
      .map(([name, type]) => ({ name: name ?? '', type: type ?? '' }))
      .filter(({ name }) => name !== '_trace_address');
  }

  /**
   * Returns the failed traces with their messages. The rows say which traces failed; the messages come from
   * bigtrace.failures, which only the orchestrator that ran the query fills.
   */
  async #failures(
    table: MaterializedTable,
    run: string,
    queryId: string,
  ): Promise<Map<string, string>> {
    const failed = await table.failedTraces(run);
    if (failed.length === 0) return new Map();
    const recorded = await this.#database.rows(
      `SELECT hex(trace), message FROM bigtrace.failures WHERE query_id = ${literal(queryId)} AND trace != ''`,
    );
    const reasons = new Map(recorded.map(([trace, message]) => [textFromHex(trace), message]));
    return new Map(failed.map((trace) => [trace, reasons.get(trace) ?? 'the trace failed']));
  }

  #withRemedy(error: BigtraceError, { columns }: MaterializedTable, empty: boolean): BigtraceError {
    const { name } = this.#plan;
    const structure = columns.map((column) => {
      const plain = /^[A-Za-z_]\w*$/.test(column.name);
      return `${plain ? column.name : identifier(column.name)} ${column.type}`;
    });
    const types = `--structure ${literal(structure.join(', '))}, with a wider type for that column`;
    const remedy = empty
      ? `bigtrace_results.${name} was not made: give the types with ${types}`
      : `the types of bigtrace_results.${name} were fixed when it was made: drop it and ${name}_rows, and give ${types}`;
    return new BigtraceError(
      error.code,
      `${error.message}; ${remedy}, or CAST the column in the script`,
    );
  }
}

/** Summary of a run for display. */
export function summaryText({ asked, failed, firstFailure }: Materialized): string {
  if (asked === 0) return 'the table already contains all traces';
  const reason = firstFailure === undefined ? '' : `; the first failure: ${firstFailure}`;
  return `${asked} traces read, ${failed} failed${reason}`;
}

/** @throws no_sql if the script is empty */
export function checkScript(sql: string): string {
  if (sql.trim() === '') throw new BigtraceError('no_sql', '--sql is empty');
  return sql;
}
