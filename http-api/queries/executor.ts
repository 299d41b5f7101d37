/** Runs the queries of the HTTP API, stores their rows and history, and deletes old ephemeral queries. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouse, Row } from '../../lib/clickhouse/client.ts';
import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { readerFor } from '../caller.ts';
import type { PageRequest, QuerySettings } from '../contract/page.ts';
import type { Counts } from '../counters.ts';
import { badRequest, HttpError } from '../http-error.ts';
import { columnNamed } from '../sql/conditions.ts';
import { PAGE_ROWS_MAX, pageOf } from '../sql/page.ts';
import type { TraceChoice, Traces } from '../sql/traces.ts';
import type { QueryWatch } from '../watch.ts';
import type { Column } from './columns.ts';
import { type ExecutionRequest, fillTable, RESULTS, ROW_NUMBER, tableOf } from './execution.ts';
import { type Execution, History } from './history.ts';
import { checkTableName } from './table-name.ts';

export interface ExecuteRequest {
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

const RUNNING_MAX = 128;
const LIMIT_MAX = 1_000_000_000;
const FAILURES_SHOWN = 3;
const FAILURES_SEARCHED = 100;
const ERROR_CHARS_MAX = 4000;
/** Reported for a lenient query of which no reachable orchestrator knows the failures. */
const FAILURES_UNKNOWN =
  'no orchestrator that could be reached knows this query, so some traces may have failed (see bigtrace.failures)';
/**
 * Interval at which the owner of a query updates its history row. Others consider the owner dead after SILENT_MS_MAX.
 */
const HEARTBEAT_MS = 5000;
const SILENT_MS_MAX = 30_000;
const SWEEP_MS = 60_000;
const EPHEMERAL_MS_MAX = 24 * 3_600_000;
const EPHEMERAL_MAX = 200;

interface RunningExecution {
  execution: Execution;
  ended: Promise<void>;
}

export interface ExecutorParts {
  database: ClickHouse;
  traces: Traces;
  watch: QueryWatch;
  /** Returns the name of this service, by which it recognizes after a restart the queries that it left running. */
  owner: () => string;
  log: Logger;
  counts: Counts;
}

export class Executor {
  readonly #parts: ExecutorParts;
  readonly #history: History;
  readonly #running = new Map<string, RunningExecution>();
  readonly #timers: NodeJS.Timeout[];
  #draining = false;

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    this.#history = new History(parts.database);
    this.#timers = [
      setInterval(() => void this.#quietly(this.#beat()), HEARTBEAT_MS),
      setInterval(() => void this.#quietly(this.sweep()), SWEEP_MS),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  /** Number of queries that this process started and that have not ended. */
  get running(): number {
    return this.#running.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Refuses new queries. Resolves when the running ones have ended, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    const all = Promise.allSettled([...this.#running.values()].map(({ ended }) => ended));
    await Promise.race([all, sleep(timeoutMs, undefined, { ref: false })]);
  }

  /** Ends running queries as FAILED with the message that the service is shutting down, and kills them in ClickHouse. */
  async close(): Promise<void> {
    this.#draining = true;
    for (const timer of this.#timers) clearInterval(timer);
    const all = [...this.#running.values()];
    await Promise.allSettled(
      all.map(({ execution }) => this.#end(execution, 'FAILED', shuttingDown().message)),
    );
    for (const { execution } of all) void this.#quietly(this.#kill(execution.uuid));
  }

  /**
   * Validates the request, writes the query to the history, and starts it.
   * @param signal ends the start when the client has left; the query itself runs on without its client
   * @throws invalid_option, no_match, draining, HttpError 429 if too many queries run
   */
  async start(request: ExecuteRequest, signal: AbortSignal): Promise<Execution> {
    if (this.#draining) throw shuttingDown();
    const traces = this.#parts.traces.for(signal);
    if (this.#running.size >= RUNNING_MAX)
      throw new HttpError(
        429,
        `too many queries: ${RUNNING_MAX} are running; try again when one has ended`,
      );
    if (request.perfettoSql.trim() === '') throw badRequest('perfetto_sql is empty');
    const limitMax = request.materialized ? LIMIT_MAX : PAGE_ROWS_MAX;
    if (request.limit < 1 || request.limit > limitMax)
      throw badRequest(`limit ${request.limit} must be from 1 to ${limitMax}`);
    const uuid = randomUUID();
    const tableName = await this.#nameOf(request, uuid);
    const available = request.metadataColumns.length === 0 ? [] : await traces.columns('');
    for (const name of request.metadataColumns) columnNamed(name, available);
    const executionRequest = {
      addresses: await traces.addresses(request.choice),
      strict: request.choice.settings.strict,
      timeoutS: request.choice.settings.timeoutS,
      metadataColumns: request.metadataColumns,
      base: request.base,
    };
    const execution = newExecution(request, { uuid, tableName, owner: this.#parts.owner() });
    await this.#history.write([execution]);
    this.#parts.counts.queries += 1;
    this.#running.set(uuid, { execution, ended: this.#run(execution, executionRequest) });
    return execution;
  }

  /** Resolves when the query has ended, successfully or not. */
  async ended(uuid: string): Promise<Execution> {
    await this.#running.get(uuid)?.ended;
    return this.find(uuid);
  }

  /** @throws HttpError 404 if the query is unknown */
  async find(uuid: string): Promise<Execution> {
    const running = this.#running.get(uuid);
    if (running !== undefined) {
      await this.#quietly(this.#count(running.execution));
      return running.execution;
    }
    const execution = await this.#history.find(uuid);
    if (execution === undefined) throw new HttpError(404, `there is no query ${uuid}`);
    return this.#alive(execution);
  }

  async list(): Promise<Execution[]> {
    const all = await this.#history.list();
    return Promise.all(
      all.map((one) => this.#running.get(one.uuid)?.execution ?? this.#alive(one)),
    );
  }

  /**
   * Returns a page of the rows that are ready.
   * @throws HttpError 404 if the query is unknown; invalid_option if no rows are ready, or the page request is invalid
   */
  async page(uuid: string, request: PageRequest, signal: AbortSignal): Promise<ResultPage> {
    const execution = await this.find(uuid);
    const { columns, status, errorMessage } = execution;
    if (columns === undefined)
      throw badRequest(
        status === 'IN_PROGRESS'
          ? 'no rows are ready yet'
          : errorMessage || `the query is ${status}`,
      );
    if (status === 'IN_PROGRESS' && execution.processedRows === 0)
      throw badRequest('no rows are ready yet');
    const from = tableOf(execution);
    const database = readerFor(this.#parts.database, signal);
    const page = pageOf({ from, columns, key: ROW_NUMBER, numbered: true }, request);
    const [rows, total] = await Promise.all([
      database.rows(page.rowsSql),
      database.count(page.countSql),
    ]);
    return { columns: page.columns, rows, total, available: columns };
  }

  /** Cancels the query; does nothing if it has ended. @throws HttpError 404 if the query is unknown */
  async cancel(uuid: string): Promise<void> {
    const execution = await this.find(uuid);
    if (execution.status !== 'IN_PROGRESS') return;
    await this.#end(execution, 'CANCELLED', 'cancelled');
    await Promise.all([this.#parts.watch.cancel(uuid), this.#kill(uuid)]);
  }

  /** @throws HttpError 404 if the query is unknown, 409 while it runs */
  async remove(uuid: string, dropTable: boolean): Promise<void> {
    const execution = await this.find(uuid);
    if (execution.status === 'IN_PROGRESS')
      throw new HttpError(409, `query ${uuid} is running; cancel it first`);
    await this.#running.get(uuid)?.ended; // a cancelled query may still be writing its history
    if (dropTable || !execution.materialized) await this.#drop(execution);
    await this.#history.write([execution], { deleted: true });
  }

  async tableExists(name: string): Promise<boolean> {
    return this.#history.tableIsTaken(checkTableName(name));
  }

  /** Deletes ephemeral queries that are too old or too many. */
  async sweep(): Promise<void> {
    await this.list(); // marks queries of dead services as failed
    const old = await this.#history.forgettable(Date.now() - EPHEMERAL_MS_MAX, EPHEMERAL_MAX);
    for (const execution of old) {
      await this.#drop(execution);
      await this.#history.write([execution], { deleted: true });
    }
  }

  async #run(execution: Execution, executionRequest: ExecutionRequest): Promise<void> {
    const { uuid } = execution;
    try {
      await fillTable(this.#parts.database, execution, executionRequest, async (columns) => {
        execution.columns = columns;
        if (execution.status !== 'IN_PROGRESS') throw new BigtraceError('cancelled', 'cancelled');
        await this.#history.write([execution]);
      });
      await this.#count(execution);
      await this.#end(
        execution,
        'SUCCESS',
        executionRequest.strict ? '' : await this.#failures(execution),
      );
    } catch (thrown) {
      const error = timeLimitExceeded(execution, executionRequest) ?? asBigtraceError(thrown);
      await this.#quietly(this.#failed(execution, error));
    } finally {
      this.#running.delete(uuid);
    }
  }

  async #failed(execution: Execution, error: BigtraceError): Promise<void> {
    await this.#quietly(this.#count(execution));
    const status = error.code === 'cancelled' ? 'CANCELLED' : 'FAILED';
    await this.#end(execution, status, await this.#inLines(execution, error.message));
  }

  /** Records how the query ended. Only the first call has an effect. */
  async #end(execution: Execution, status: Execution['status'], message: string): Promise<void> {
    if (execution.status !== 'IN_PROGRESS') return;
    execution.status = status;
    execution.endMs = Date.now();
    execution.errorMessage = message.slice(0, ERROR_CHARS_MAX);
    await this.#history.write([execution]);
  }

  /** Returns the orchestrator's version of the message if it has one: ClickHouse joins the lines of an error. */
  async #inLines({ uuid }: Execution, message: string): Promise<string> {
    const flat = (text: string) => text.replace(/\s+/g, ' ').trim();
    const recorded = await this.#parts.watch.failures(uuid, FAILURES_SEARCHED);
    return recorded.find((text) => flat(text) === flat(message)) ?? message;
  }

  /** Message about the traces that failed; empty if none did. */
  async #failures({ uuid }: Execution): Promise<string> {
    const counts = await this.#parts.watch.counts(uuid);
    if (counts === undefined) return FAILURES_UNKNOWN;
    const { tracesFailed: failed, tracesTotal } = counts;
    if (failed === 0) return '';
    const failures = (await this.#parts.watch.failures(uuid, FAILURES_SHOWN)).join('; ');
    return `${failed} of ${tracesTotal} traces failed: ${failures}${failed > FAILURES_SHOWN ? '; …' : ''}`;
  }

  async #count(execution: Execution): Promise<void> {
    if (execution.columns === undefined) return;
    const counts = await this.#parts.watch.counts(execution.uuid);
    if (counts !== undefined) {
      execution.processedTraces = counts.tracesDone + counts.tracesFailed;
      execution.totalTraces = counts.tracesTotal;
    }
    const rows = await this.#parts.database.count(`SELECT count() FROM ${tableOf(execution)}`);
    execution.processedRows = Math.max(execution.processedRows, rows);
  }

  async #beat(): Promise<void> {
    const all = [...this.#running.values()].map(({ execution }) => execution);
    const running = all.filter(({ status }) => status === 'IN_PROGRESS');
    await Promise.all(running.map((execution) => this.#count(execution)));
    await this.#history.write(running.filter(({ status }) => status === 'IN_PROGRESS'));
  }

  /** Marks a query as FAILED if the service that ran it has died or was restarted, because nobody else will. */
  async #alive(execution: Execution): Promise<Execution> {
    const silent = Date.now() - execution.writtenMs > SILENT_MS_MAX;
    const own = execution.owner === this.#parts.owner();
    if (execution.status !== 'IN_PROGRESS' || this.#running.has(execution.uuid) || !(own || silent))
      return execution;
    await this.#quietly(this.#count(execution));
    await this.#end(
      execution,
      'FAILED',
      `the HTTP service ${execution.owner} that ran the query was restarted or died`,
    );
    await this.#quietly(this.#kill(execution.uuid));
    return execution;
  }

  async #kill(uuid: string): Promise<void> {
    await this.#parts.database.command(`KILL QUERY WHERE query_id = ${literal(uuid)} ASYNC`);
  }

  async #drop(execution: Execution): Promise<void> {
    await this.#parts.database.command(`DROP TABLE IF EXISTS ${tableOf(execution)}`);
  }

  async #nameOf({ tableName, materialized }: ExecuteRequest, uuid: string): Promise<string> {
    if (tableName === undefined)
      return `${materialized ? 'query' : 'ephemeral'}_${uuid.replaceAll('-', '_')}`;
    if (await this.tableExists(tableName))
      throw badRequest(`table ${RESULTS}.${tableName} exists already; choose another name`);
    return tableName;
  }

  /** Logs a failure of background work instead of throwing it. The next heartbeat or sweep tries again. */
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

/** The error for a query that exceeded its own time limit. The bridge reports only that it was cancelled. */
function timeLimitExceeded(
  { startMs }: Execution,
  { timeoutS }: ExecutionRequest,
): BigtraceError | undefined {
  if (timeoutS === 0 || Date.now() - startMs < timeoutS * 1000) return undefined;
  return new BigtraceError(
    'deadline_exceeded',
    `the query exceeded its time limit of ${timeoutS} s`,
  );
}

function newExecution(
  request: ExecuteRequest,
  { uuid, tableName, owner }: { uuid: string; tableName: string; owner: string },
): Execution {
  return {
    ...{ uuid, tableName, owner, version: 0, writtenMs: 0 },
    status: 'IN_PROGRESS',
    startMs: Date.now(),
    endMs: undefined,
    perfettoSql: request.perfettoSql,
    snapshot: request.snapshot,
    materialized: request.materialized,
    limit: request.limit,
    columns: undefined,
    ...{ processedRows: 0, processedTraces: 0, totalTraces: 0, errorMessage: '' },
  };
}
