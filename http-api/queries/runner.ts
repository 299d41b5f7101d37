/**
 * Brings queries to their end. ClickHouse has the whole state of a query, so any replica can: what is in
 * system.processes runs, what the history or the query log says has ended, and what neither knows is started again.
 *
 * | state | history | table | system.processes | a replica that sees it |
 * | --- | --- | --- | --- | --- |
 * | submitted | IN_PROGRESS, version 1 | none | nothing | starts it |
 * | its columns are found | IN_PROGRESS | none, or of an earlier start | SELECT | waits |
 * | has a table | IN_PROGRESS, version n | of start n | nothing | asks the query log; if it has no end, starts it again |
 * | running | IN_PROGRESS, version n | of start n | INSERT | waits |
 * | ended in ClickHouse | IN_PROGRESS, version n | of start n | nothing | records the end that the query log has |
 * | ended, cancelled | SUCCESS, FAILED, CANCELLED | of start n | nothing | believes it |
 * | table dropped | one of these | none | nothing | believes it; its rows cannot be read |
 * | deleted | deleted | none, unless kept | nothing | knows no such query |
 *
 * If ClickHouse was restarted since the start, and the query log has no end, the query has failed.
 *
 * A replica may die between any two of these steps. Starting a query again is safe while another replica, which only
 * was slow, continues with an earlier start: its INSERT is rejected, because the history has a later version, and so is
 * its record of the end. Cancelling writes the history first: a start that the KILL misses finds the later version.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import { clickHouseErrorType } from '../../lib/clickhouse/errors.ts';
import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import { failureText, inLines } from '../failures/failure-text.ts';
import { withOwnLines } from '../sessions/kept.ts';
import type { QueryCounts, QueryWatch } from '../watch.ts';
import { costOf } from './cost.ts';
import { fillTable, NOT_LATEST } from './fill-table.ts';
import type { Execution, History, Pending } from './history.ts';
import { type Plan, RESULTS } from './plan.ts';
import type { Runs, Seen, Table } from './runs.ts';
import type { TraceTotals } from './trace-totals.ts';

/** A query that nobody runs is started again when its last change is older than this: its replica may be about to. */
const START_MS = 3000;
/** After so many starts without an end, the query has failed: it may be what makes its processes die. */
const STARTS_MAX = 5;
/** Longer than a replica takes from one statement of a start to the next. */
const GAP_MS = 200;
const SETTLE_MS = 5000;
const FOLLOW_MS = 300;
const ERROR_CHARS_MAX = 4000;

interface Idle {
  execution: Execution;
  /** The table that ClickHouse had before it was asked what runs. */
  table: Table | undefined;
}

interface Look {
  seen: Map<string, Seen>;
  idle: Idle[];
  fresh: Map<string, Execution>;
}

export interface RunnerParts {
  database: ClickHouse;
  history: History;
  runs: Runs;
  watch: QueryWatch;
  totals: TraceTotals;
  log: Logger;
}

export class Runner {
  readonly #parts: RunnerParts;
  /** The queries that this process started and whose INSERT it waits for. */
  readonly #started = new Map<string, Promise<void>>();
  /** The idle queries that this process looks after just now. */
  readonly #settling = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#quietly(this.settleAll()), SETTLE_MS);
    this.#timer.unref();
  }

  get running(): number {
    return this.#started.size;
  }

  /** Starts no query any more. Those that run in ClickHouse continue there. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#parts.totals.close();
  }

  start(execution: Execution, plan: Plan): void {
    this.#keep(execution.uuid, this.#run(execution, plan));
  }

  #keep(uuid: string, work: Promise<void>): void {
    const done = this.#quietly(work).finally(() => this.#started.delete(uuid));
    this.#started.set(uuid, done);
  }

  /** Resolves with the ended query. @param find returns the query as it is now */
  async ended(
    uuid: string,
    find: () => Promise<Execution>,
    signal: AbortSignal,
  ): Promise<Execution> {
    await this.#started.get(uuid);
    for (;;) {
      const execution = await find();
      if (execution.status !== 'IN_PROGRESS') return execution;
      await sleep(FOLLOW_MS, undefined, { signal }); // another replica runs it
    }
  }

  /** Records the ends that the query log has, and starts the queries that nobody runs. */
  async settleAll(): Promise<void> {
    const { history, runs } = this.#parts;
    const { idle } = await this.#look(await history.unended());
    await Promise.all(idle.map((one) => this.#quietly(this.#settle(one))));
    await runs.killEnded(); // a replica may have died before it killed what it had cancelled
    await runs.finishDrops();
  }

  /** Returns the queries as they are: with their progress, or their end. */
  async settled(executions: readonly Execution[]): Promise<Execution[]> {
    const { seen, idle, fresh } = await this.#look(executions);
    for (const one of idle) void this.#quietly(this.#settle(one));
    const latest = executions.map((one) => fresh.get(one.uuid) ?? one);
    const { totals } = this.#parts;
    return Promise.all(
      latest.map((one) =>
        this.#withProgress(one, seen.get(one.uuid), (counts) => totals.of(one.uuid, counts)),
      ),
    );
  }

  /**
   * @returns what ClickHouse says of those that are in progress; `idle`: those that neither this process nor ClickHouse
   * runs; `fresh`: these as the history has them after ClickHouse was asked
   */
  async #look(executions: readonly Execution[]): Promise<Look> {
    const { history, runs } = this.#parts;
    const unended = executions.filter(({ status }) => status === 'IN_PROGRESS');
    const seen = await runs.look(unended);
    const resting = unended.filter(
      ({ uuid }) => !seen.get(uuid)?.running && !this.#started.has(uuid),
    );
    const ids = resting.map(({ uuid }) => uuid);
    const fresh = new Map((await history.some(ids)).map((one) => [one.uuid, one]));
    const idle = resting.flatMap(({ uuid, version }): Idle[] => {
      const execution = fresh.get(uuid);
      if (execution?.version !== version) return []; // another replica has changed it in the meantime
      return [{ execution, table: seen.get(uuid)?.table }];
    });
    return { seen, idle, fresh };
  }

  /**
   * Records how the query ended, unless another end is recorded already.
   * @returns false if it was
   */
  async end(execution: Execution, status: Execution['status'], message: string): Promise<boolean> {
    const table = await this.#parts.runs.table(execution);
    const progressed = await this.#withProgress(execution, { table, running: false });
    const errorMessage = withOwnLines(message, execution.prelude, execution.perfettoSql);
    this.#parts.totals.ended(execution.uuid);
    return this.#parts.history.ended(execution, {
      ...progressed,
      status,
      endMs: Date.now(),
      errorMessage: errorMessage.slice(0, ERROR_CHARS_MAX),
    });
  }

  async #run(execution: Execution, plan: Plan): Promise<void> {
    const { database, runs } = this.#parts;
    let thrown: unknown;
    try {
      await fillTable(database, runs, execution, plan);
    } catch (error) {
      if (!isEnd(error, execution)) throw error;
      thrown = error;
    }
    await this.#record(execution, plan, thrown);
  }

  /** @param thrown undefined if all rows were inserted */
  async #record(execution: Execution, plan: Plan, thrown: unknown): Promise<void> {
    const { watch } = this.#parts;
    if (thrown === undefined) {
      await this.end(execution, 'SUCCESS', plan.strict ? '' : await failureText(watch, execution));
      return;
    }
    const error = timeLimitExceeded(execution, plan) ?? asBigtraceError(thrown);
    const message = await inLines(watch, execution, error.message);
    await this.end(execution, error.code === 'cancelled' ? 'CANCELLED' : 'FAILED', message);
  }

  async #settle({ execution, table }: Idle): Promise<void> {
    const { uuid } = execution;
    if (this.#settling.has(uuid)) return;
    this.#settling.add(uuid);
    try {
      const pending = await this.#parts.history.pending(uuid);
      if (pending === undefined) return;
      const { plan } = pending;
      if (plan !== undefined && table?.start === execution.version) {
        const ending = await this.#parts.runs.ending(execution);
        if (ending === 'finished') return await this.#record(execution, plan, undefined);
        if (ending !== undefined && isEnd(ending, execution))
          return await this.#record(execution, plan, ending);
      }
      if (this.#closed || Date.now() - execution.writtenMs < START_MS) return;
      const failure = noStart(execution, pending);
      if (failure !== undefined) await this.end(execution, 'FAILED', failure);
      else if (plan !== undefined) await this.#startAgain(execution, plan);
    } finally {
      this.#settling.delete(uuid);
    }
  }

  async #startAgain(execution: Execution, plan: Plan): Promise<void> {
    const { history, log, runs } = this.#parts;
    await sleep(GAP_MS);
    const seen = await runs.look([execution]);
    if (this.#closed || seen.get(execution.uuid)?.running) return;
    if (!(await history.startAgain(execution))) return;
    const next = { ...execution, version: execution.version + 1 };
    log.info({ uuid: next.uuid, start: next.version }, 'start a query again');
    this.start(next, plan);
  }

  /** @param totalOf how many traces the query has, given what the orchestrators know */
  async #withProgress(
    execution: Execution,
    seen: Seen | undefined,
    totalOf = (counts: QueryCounts | undefined) => counts?.tracesTotal ?? 0,
  ): Promise<Execution> {
    if (execution.status !== 'IN_PROGRESS') return execution;
    const table = seen?.table;
    const counts = await this.#parts.watch.counts(execution.uuid);
    const isOwn = table?.start === execution.version;
    return {
      ...execution,
      ...(isOwn ? { columns: table.columns, processedRows: table.rows } : {}),
      ...(counts === undefined
        ? {}
        : { processedTraces: counts.tracesDone + counts.tracesFailed, cost: costOf(counts) }),
      totalTraces: totalOf(counts),
    };
  }

  /** Logs a failure of background work instead of throwing it. The next settleAll() finds what is left to do. */
  async #quietly(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (thrown) {
      this.#parts.log.info({ err: thrown }, 'a query is left to the next look at ClickHouse');
    }
  }
}

/** Another start of the query runs, or has made the table since this one looked; the next start sees which. */
const OTHERS_START = new Set(['QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING', 'TABLE_ALREADY_EXISTS']);

/**
 * Whether the error ended the query. Otherwise another replica runs it, the connection to ClickHouse broke and the query
 * may still run there, or its table had another name for a moment (dropped-tables.ts).
 */
function isEnd(thrown: unknown, execution: Execution): boolean {
  const type = clickHouseErrorType(thrown);
  if (type === undefined)
    return !(thrown instanceof BigtraceError && thrown.code === 'catalog_failed');
  if (OTHERS_START.has(type)) return false;
  const { message } = thrown as Error;
  if (type === 'UNKNOWN_TABLE') return !message.includes(`${RESULTS}.${execution.tableName}`);
  return !message.includes(NOT_LATEST);
}

function noStart({ version }: Execution, pending: Pending): string | undefined {
  if (pending.outlivedServer) return 'ClickHouse was restarted before the query ended';
  if (pending.plan === undefined)
    return 'the query was submitted to an earlier version of Bigtrace, which stopped before it ended';
  if (version < STARTS_MAX) return undefined;
  return `the query was started ${version} times, and each time the HTTP API stopped before the query ran`;
}

/** The error for a query that exceeded its own time limit. The bridge reports only that it was cancelled. */
function timeLimitExceeded({ startMs }: Execution, { timeoutS }: Plan): BigtraceError | undefined {
  if (timeoutS === 0 || Date.now() - startMs < timeoutS * 1000) return undefined;
  return new BigtraceError(
    'deadline_exceeded',
    `the query exceeded its time limit of ${timeoutS} s`,
  );
}
