/** The queries of the HTTP API: accepts them, and reads, cancels and deletes them. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseSettings } from '@clickhouse/client';
import type { ClickHouse, Row } from '../../lib/clickhouse/client.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import { identifier } from '../../lib/common/text/sql-literal.ts';
import { callOf, readerFor } from '../caller.ts';
import type { PageRequest, QuerySettings } from '../contract/page.ts';
import type { Counts } from '../counters.ts';
import { badRequest, HttpError } from '../http-error.ts';
import { endingOf, isSummary, preludeOf, SCRIPTS_MAX, statementsToKeep } from '../sessions/kept.ts';
import { columnNamed } from '../sql/conditions.ts';
import { PAGE_ROWS_MAX, pageOf } from '../sql/page.ts';
import type { TraceChoice, Traces } from '../sql/traces.ts';
import type { QueryWatch } from '../watch.ts';
import type { Column } from './columns.ts';
import { type Execution, History, type Keeps, type Refusal } from './history.ts';
import { type Plan, RESULTS, tableOf } from './plan.ts';
import { resultRelation } from './result-relation.ts';
import { Runner } from './runner.ts';
import { ROW_NUMBER, Runs, type Table } from './runs.ts';
import { checkTableName } from './table-name.ts';
import { TraceTotals } from './trace-totals.ts';

export interface ExecuteRequest {
  /** Who sends it (login/caller.ts). */
  user: string;
  /** Whose definitions run before the script, and which keeps those of the script; undefined: none. */
  session: string | undefined;
  perfettoSql: string;
  limit: number;
  choice: TraceChoice;
  metadataColumns: string[];
  snapshot: QuerySettings;
  /** Undefined: a name is generated. */
  tableName: string | undefined;
  materialized: boolean;
  base: string;
}

export interface ResultPage {
  columns: Column[];
  rows: Row[];
  total: number;
  available: Column[];
}

/** Formats of ClickHouse in which rows can be downloaded. */
export type DownloadFormat = 'CSVWithNames' | 'Parquet';

export interface Download {
  /** Name of the query's table. */
  name: string;
  bytes: AsyncIterable<Buffer>;
}

export interface PageContext {
  /** URL of this server as the client addressed it, for links. */
  base: string;
  signal: AbortSignal;
}

/** Of all replicas together. */
export const RUNNING_MAX = 128;
const LIMIT_MAX = 1_000_000_000;
const EXPIRE_MS = 60_000;
const EPHEMERAL_MAX = 200;
/** How long a deletion waits until ClickHouse has ended the query. */
const STOP_MS_MAX = 10_000;
const STOP_LOOK_MS = 100;

/** A file is sent on as it arrives, and looks the same whatever the default profile of the server is. */
const FILE_SETTINGS: ClickHouseSettings = {
  max_result_bytes: '0',
  format_csv_delimiter: ',',
  format_csv_null_representation: '\\N',
  output_format_csv_crlf_end_of_line: 0,
};

export interface ExecutorParts {
  database: ClickHouse;
  traces: Traces;
  watch: QueryWatch;
  log: Logger;
  counts: Counts;
  /** How long the tables of queries are kept to which their users gave no name. */
  tableLifeMs: number;
}

export class Executor {
  readonly #parts: ExecutorParts;
  readonly #history: History;
  readonly #runs: Runs;
  readonly #runner: Runner;
  /** The queries whose clients wait for the end. */
  readonly #awaited = new Map<string, Promise<unknown>>();
  readonly #timer: NodeJS.Timeout;
  #draining = false;

  constructor(parts: ExecutorParts) {
    const { database, watch, log, traces } = parts;
    this.#parts = parts;
    this.#history = new History(database);
    this.#runs = new Runs(database);
    const ofQueries = { history: this.#history, watch, log };
    const totals = new TraceTotals({ ...ofQueries, traces });
    this.#runner = new Runner({ ...ofQueries, database, totals, runs: this.#runs });
    this.#timer = setInterval(() => void this.#quietly(this.expire()), EXPIRE_MS);
    this.#timer.unref();
  }

  /** Number of queries that this process started and that have not ended. */
  get running(): number {
    return this.#runner.running;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Refuses new queries. Resolves when those have ended whose clients wait, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    const all = Promise.allSettled(this.#awaited.values());
    await Promise.race([all, sleep(timeoutMs, undefined, { ref: false })]);
  }

  /** Cancels the queries whose clients wait. The others run on in ClickHouse, and another replica records their end. */
  async close(): Promise<void> {
    this.#draining = true;
    clearInterval(this.#timer);
    this.#runner.close();
    const all = [...this.#awaited.keys()];
    await Promise.allSettled(
      all.map((uuid) => this.#cancel(uuid, 'FAILED', shuttingDown().message)),
    );
  }

  /**
   * Validates the request, writes the query to the history, and starts it.
   * @param signal ends the start when the client has left; a query that was accepted runs on
   * @throws invalid_option, no_match, draining, HttpError 429 if too many queries run
   */
  async start(request: ExecuteRequest, signal: AbortSignal): Promise<Execution> {
    if (this.#draining) throw shuttingDown();
    if (request.perfettoSql.trim() === '') throw badRequest('perfetto_sql is empty');
    const limitMax = request.materialized ? LIMIT_MAX : PAGE_ROWS_MAX;
    if (request.limit < 1 || request.limit > limitMax)
      throw badRequest(`limit ${request.limit} must be from 1 to ${limitMax}`);
    const execution = newExecution(request, await this.#preludeOf(request));
    const plan = await this.#planOf(request, signal);
    signal.throwIfAborted();
    await this.#submit(execution, { plan, keeps: keepsOf(request) });
    this.#parts.counts.queries += 1;
    this.#runner.start(execution, plan);
    return execution;
  }

  /** Resolves when the query has ended, successfully or not. Cancels it when the signal is aborted. */
  async ended(uuid: string, signal: AbortSignal): Promise<Execution> {
    const cancel = (): void => void this.#quietly(this.cancel(uuid));
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    const ended = this.#runner.ended(uuid, () => this.find(uuid), signal);
    this.#awaited.set(uuid, ended);
    try {
      return await ended;
    } finally {
      this.#awaited.delete(uuid);
      signal.removeEventListener('abort', cancel);
    }
  }

  /** @throws HttpError 404 if the query is unknown */
  async find(uuid: string): Promise<Execution> {
    const execution = await this.#history.find(uuid);
    if (execution === undefined) throw new HttpError(404, `there is no query ${uuid}`);
    return (await this.#runner.settled([execution]))[0] ?? execution;
  }

  async list(): Promise<Execution[]> {
    return this.#runner.settled(await this.#history.list());
  }

  /**
   * Returns a page of the rows that are ready.
   * @throws HttpError 404 if the query is unknown; invalid_option if no rows are ready, or the page request is invalid
   */
  async page(
    uuid: string,
    request: PageRequest,
    { base, signal }: PageContext,
  ): Promise<ResultPage> {
    const execution = await this.find(uuid);
    const table = await this.#readyTable(execution);
    const database = readerFor(this.#parts.database, signal);
    const catalog = await this.#parts.traces.for(signal).columns(base);
    const { relation, available } = resultRelation(execution, table, request, { catalog, base });
    const names = request.columns?.length ? request.columns : table.columns.map(({ name }) => name);
    const page = pageOf(relation, { ...request, columns: names });
    const settings = { join_use_nulls: 1 } as const; // a trace that is not in the catalog has no metadata
    const [rows, total] = await Promise.all([
      database.rows(page.rowsSql, { settings: { readonly: '2', ...settings } }),
      database.count(page.countSql, { settings: { readonly: '2', ...settings } }),
    ]);
    return { columns: page.columns, rows, total, available };
  }

  /**
   * Yields all rows, in their order, as a file in a format of ClickHouse. A query that failed or was cancelled has the
   * rows that it kept.
   * @throws as `page`; invalid_option if the query runs, because nothing in a file says that rows are missing
   */
  async download(uuid: string, format: DownloadFormat, signal: AbortSignal): Promise<Download> {
    const execution = await this.find(uuid);
    if (execution.status === 'IN_PROGRESS')
      throw badRequest(
        'the query is running, so a file would lack rows; download it when it has ended',
      );
    const { columns } = await this.#readyTable(execution);
    const names = columns.map(({ name }) => identifier(name)).join(', ');
    const sql = `SELECT ${names} FROM ${tableOf(execution)} ORDER BY ${ROW_NUMBER}`;
    const options = { ...callOf(signal), settings: FILE_SETTINGS };
    const bytes = this.#parts.database.bytes(sql, format, options);
    return { name: execution.tableName, bytes };
  }

  /** Cancels the query; does nothing if it has ended or is unknown. */
  cancel(uuid: string): Promise<void> {
    return this.#cancel(uuid, 'CANCELLED', 'cancelled');
  }

  /** Cancels the query if it runs, and deletes it; does nothing if it is unknown. */
  async remove(uuid: string, dropTable: boolean): Promise<void> {
    await this.cancel(uuid);
    const execution = await this.#history.find(uuid);
    if (execution === undefined) return;
    await this.#stopped(execution);
    if (dropTable || !execution.materialized) await this.#runs.drop(execution);
    await this.#history.deleted(execution);
  }

  async tableExists(name: string): Promise<boolean> {
    return this.#history.nameIsTaken(checkTableName(name));
  }

  /** Records the end of queries that have ended in ClickHouse, and starts those that nobody runs. */
  settle(): Promise<void> {
    return this.#runner.settleAll();
  }

  /** Deletes the queries whose life has ended, and ephemeral ones that are too many. */
  async expire(): Promise<void> {
    const beforeMs = Date.now() - this.#parts.tableLifeMs;
    const old = await this.#history.forgettable(beforeMs, EPHEMERAL_MAX);
    for (const execution of old) {
      await this.#runs.drop(execution);
      await this.#history.deleted(execution);
    }
  }

  /** When the query is deleted by itself, in milliseconds since the epoch; undefined: never. */
  expiryMs(execution: Execution): number | undefined {
    if (execution.materialized && execution.tableName !== generatedName(execution))
      return undefined;
    return execution.startMs + this.#parts.tableLifeMs;
  }

  /** The table of a query, once it has rows or the query has ended. @throws invalid_option */
  async #readyTable(execution: Execution): Promise<Table> {
    const { status, errorMessage, tableName } = execution;
    const table = await this.#runs.table(execution);
    if (table !== undefined && (status !== 'IN_PROGRESS' || table.rows > 0)) return table;
    throw badRequest(
      status === 'IN_PROGRESS'
        ? 'no rows are ready yet'
        : errorMessage || `table ${RESULTS}.${tableName} of the query was dropped`,
    );
  }

  async #preludeOf(request: ExecuteRequest): Promise<string> {
    if (!keepsDefinitions(request)) return '';
    const scripts = await this.#history.keptIn(request.session, SCRIPTS_MAX + 1);
    return preludeOf(scripts, request.perfettoSql);
  }

  async #planOf(request: ExecuteRequest, signal: AbortSignal): Promise<Plan> {
    const traces = this.#parts.traces.for(signal);
    const { choice, metadataColumns, base, perfettoSql } = request;
    const available = metadataColumns.length === 0 ? [] : await traces.columns('');
    for (const name of metadataColumns) columnNamed(name, available);
    return {
      addresses: await traces.addresses(choice),
      strict: choice.settings.strict,
      timeoutS: choice.settings.timeoutS,
      ...{ metadataColumns, base, ending: keepsDefinitions(request) ? endingOf(perfettoSql) : '' },
    };
  }

  async #submit(execution: Execution, accepted: { plan: Plan; keeps: Keeps }): Promise<void> {
    let refusal = await this.#history.submit(execution, accepted, RUNNING_MAX);
    if (refusal !== undefined && refusal.nameTakenBy === undefined) {
      await this.#runner.settleAll(); // queries that have ended may still count
      refusal = await this.#history.submit(execution, accepted, RUNNING_MAX);
    }
    if (refusal !== undefined) throw refusalError(refusal, execution);
  }

  async #cancel(uuid: string, status: Execution['status'], message: string): Promise<void> {
    for (;;) {
      const execution = await this.#history.find(uuid);
      if (execution === undefined) return;
      if (execution.status !== 'IN_PROGRESS') break;
      // A replica that starts the query again, or has seen its end, may be faster.
      if (await this.#runner.end(execution, status, message)) break;
    }
    await Promise.all([this.#parts.watch.cancel(uuid), this.#runs.kill(uuid)]);
  }

  /** Resolves when ClickHouse does not run the query any more. */
  async #stopped(execution: Execution): Promise<void> {
    const giveUpMs = performance.now() + STOP_MS_MAX;
    while (performance.now() < giveUpMs) {
      const seen = await this.#runs.look([execution]);
      if (!seen.get(execution.uuid)?.running) return;
      await sleep(STOP_LOOK_MS);
    }
  }

  /** Logs a failure of background work instead of throwing it. */
  async #quietly(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (thrown) {
      this.#parts.log.warn({ err: thrown }, 'cannot update the query history');
    }
  }
}

function shuttingDown(): BigtraceError {
  return new BigtraceError('draining', 'the HTTP service is shutting down');
}

function refusalError({ nameTakenBy }: Refusal, { tableName }: Execution): Error {
  if (nameTakenBy === undefined)
    return new HttpError(
      429,
      `too many queries: ${RUNNING_MAX} are running; try again when one has ended`,
    );
  const table = `table ${RESULTS}.${tableName}`;
  return badRequest(
    nameTakenBy === ''
      ? `${table} exists already; choose another name`
      : `${table} is of query ${nameTakenBy}; choose another name, or delete that query`,
  );
}

function generatedName({ uuid, materialized }: Pick<Execution, 'uuid' | 'materialized'>): string {
  return `${materialized ? 'query' : 'ephemeral'}_${uuid.replaceAll('-', '_')}`;
}

/** Whether the script runs in a session. */
function keepsDefinitions(
  request: ExecuteRequest,
): request is ExecuteRequest & { session: string } {
  return request.session !== undefined && !isSummary(request.perfettoSql);
}

function keepsOf(request: ExecuteRequest): Keeps {
  if (!keepsDefinitions(request)) return { session: '', statements: [] };
  return { session: request.session, statements: statementsToKeep(request.perfettoSql) };
}

function newExecution(request: ExecuteRequest, prelude: string): Execution {
  const uuid = randomUUID();
  const { materialized, tableName } = request;
  return {
    uuid,
    tableName:
      tableName === undefined ? generatedName({ uuid, materialized }) : checkTableName(tableName),
    ...{ version: 1, writtenMs: Date.now() },
    status: 'IN_PROGRESS',
    startMs: Date.now(),
    endMs: undefined,
    user: request.user,
    perfettoSql: request.perfettoSql,
    prelude,
    snapshot: request.snapshot,
    materialized,
    limit: request.limit,
    columns: undefined,
    ...{ processedRows: 0, processedTraces: 0, totalTraces: 0, cost: undefined },
    errorMessage: '',
  };
}
