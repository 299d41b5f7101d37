/**
 * Reads and writes bigtrace.query_history: the queries sent over HTTP, and how they ended. Each row of a query is a
 * change of the one before, with the next version: it is accepted (version 1), started again, ended, deleted.
 * ReplacingMergeTree keeps the latest. A change is refused if another replica has made one, so the first end counts.
 */

import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import { clickHouseErrorType } from '../../lib/clickhouse/errors.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { arrayLiteral, literal } from '../../lib/common/text/sql-literal.ts';
import type { Cost, QuerySettings, Status } from '../contract/page.ts';
import { type Column, columnOf } from './columns.ts';
import { COST_COLUMNS, costFrom, costValues } from './cost.ts';
import type { Plan } from './plan.ts';

const TABLE = 'bigtrace.query_history';
const LISTED_MAX = 1000;

/** ClickHouse runs one statement with this ID at a time, on behalf of all replicas. */
const CHANGE_ID = 'bigtrace_history_change';
const CHANGE_S_MAX = 10;
const WAIT_MS_MAX = 30_000;
const RETRY_MS = [5, 50] as const;

export interface Execution {
  uuid: string;
  /** Of its row in the history. While the query is in progress, the number of times that a replica has started it. */
  version: number;
  /** When the row was written, in milliseconds since the epoch. */
  writtenMs: number;
  status: Status;
  startMs: number;
  endMs: number | undefined;
  /** Who sent it (login/caller.ts). */
  user: string;
  perfettoSql: string;
  /** What runs before the script: what its session keeps (sessions/kept.ts). */
  prelude: string;
  snapshot: QuerySettings;
  /** Whether the query and its table are kept until they are deleted. An ephemeral query is deleted automatically. */
  materialized: boolean;
  /** Name of the table in bigtrace_results. No two queries of the history have the same. */
  tableName: string;
  limit: number;
  /** Undefined until column finding has ended. */
  columns: Column[] | undefined;
  processedRows: number;
  processedTraces: number;
  totalTraces: number;
  /** Undefined while it is unknown; of a query of an earlier version, for ever. */
  cost: Cost | undefined;
  errorMessage: string;
}

/** What a session keeps of a query that succeeds. */
export interface Keeps {
  /** Empty: the query has no session. */
  session: string;
  statements: readonly string[];
}

/** What is known of a query when it has ended. */
export type End = Pick<
  Execution,
  | 'status'
  | 'columns'
  | 'processedRows'
  | 'processedTraces'
  | 'totalTraces'
  | 'cost'
  | 'errorMessage'
> & { endMs: number };

/** A query whose end is not recorded. */
export interface Pending {
  /** Undefined if an earlier version of Bigtrace accepted the query. */
  plan: Plan | undefined;
  /** Whether ClickHouse was started after the last change of the query. */
  outlivedServer: boolean;
}

/** Why a query was not accepted. */
export interface Refusal {
  /** Queries that have not ended. */
  running: number;
  /** ID of the query that has the table name; empty if the table is of no query; undefined if the name is free. */
  nameTakenBy: string | undefined;
}

export class History {
  readonly #database: ClickHouse;
  /** The change before, so that the changes of this process do not compete. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(database: ClickHouse) {
    this.#database = database;
  }

  /**
   * Accepts a query, unless `runningMax` queries run or its table name is taken. Replicas do so one after the other, so
   * both hold, however many submit at the same time.
   */
  async submit(
    execution: Execution,
    { plan, keeps }: { plan: Plan; keeps: Keeps },
    runningMax: number,
  ): Promise<Refusal | undefined> {
    const { uuid, tableName } = execution;
    const row = {
      ...newRow(execution),
      plan: literal(JSON.stringify(plan)),
      session: literal(keeps.session),
      keeps: arrayLiteral(keeps.statements),
    };
    const isFree = `(${RUNNING}) < ${runningMax} AND ${takenSql(tableName)} = 0`;
    const accepted = await this.#change(uuid, (change) => {
      const all = { ...row, ...change };
      return `(${Object.keys(all).join(', ')}) SELECT ${Object.values(all).join(', ')} WHERE ${isFree}`;
    });
    if (accepted) return undefined;
    const [found] = await this.#database.rows(
      `SELECT toString(countIf(status = 'IN_PROGRESS')), toString(${takenSql(tableName)}),
         anyIf(uuid, table_name = ${literal(tableName)})
       FROM ${TABLE} FINAL WHERE NOT deleted`,
    );
    const [running, taken, holder] = found ?? [];
    return { running: Number(running), nameTakenBy: taken === '0' ? undefined : (holder ?? '') };
  }

  /** Records that this replica starts the query again. @returns false if another one has changed the query */
  startAgain(execution: Execution): Promise<boolean> {
    return this.#replace(execution, {});
  }

  /** Records how the query ended. @returns false if another replica has changed the query */
  ended(execution: Execution, end: End): Promise<boolean> {
    const { status, endMs, columns, errorMessage } = end;
    return this.#replace(execution, {
      status: literal(status),
      end_time: dateTime(endMs),
      schema: literal(schemaText(columns)),
      processed_rows: String(end.processedRows),
      processed_traces: String(end.processedTraces),
      total_traces: String(end.totalTraces),
      ...costValues(end.cost),
      error_message: literal(errorMessage),
      plan: "''",
    });
  }

  /** @returns false if another replica has changed the query */
  deleted(execution: Execution): Promise<boolean> {
    return this.#replace(execution, { deleted: 'true' });
  }

  /** Newest first, LISTED_MAX at most. */
  list(): Promise<Execution[]> {
    return this.#read(`NOT deleted ORDER BY start_time DESC, uuid LIMIT ${LISTED_MAX}`);
  }

  async find(uuid: string): Promise<Execution | undefined> {
    const [execution] = await this.#read(`uuid = ${literal(uuid)} AND NOT deleted`);
    return execution;
  }

  /** @returns the queries with these IDs that have not been deleted */
  async some(uuids: readonly string[]): Promise<Execution[]> {
    if (uuids.length === 0) return [];
    return this.#read(`uuid IN (${uuids.map(literal).join(', ')}) AND NOT deleted`);
  }

  /**
   * The statements that a session keeps, those of each successful query together, the latest last.
   * @param max of different queries; more are not read
   */
  async keptIn(session: string, max: number): Promise<string[][]> {
    const rows = await this.#database.rows(
      `SELECT toJSONString(keeps) FROM ${TABLE} FINAL
       WHERE session = ${literal(session)} AND status = 'SUCCESS' AND notEmpty(keeps)
       GROUP BY keeps ORDER BY max(start_time), max(uuid) LIMIT ${max}`,
    );
    return rows.map(([statements]) => JSON.parse(statements ?? '[]') as string[]);
  }

  /** The queries whose end is not recorded. */
  unended(): Promise<Execution[]> {
    return this.#read(UNENDED);
  }

  /** What a replica needs to start the query; undefined if it has ended. */
  async pending(uuid: string): Promise<Pending | undefined> {
    const [row] = await this.#database.rows(
      `SELECT plan, toString(written_at < now64(3) - toIntervalSecond(uptime() + 1)) FROM ${TABLE} FINAL
       WHERE uuid = ${literal(uuid)} AND ${UNENDED}`,
    );
    if (row === undefined) return undefined;
    return {
      plan: row[0] ? (JSON.parse(row[0]) as Plan) : undefined,
      outlivedServer: row[1] === '1',
    };
  }

  /** Whether a table has the name, or a query has reserved it. */
  async nameIsTaken(name: string): Promise<boolean> {
    return (await this.#database.count(`SELECT ${takenSql(name)}`)) > 0;
  }

  /**
   * Queries that have ended: those without a name of their users that started before `beforeMs`, and the ephemeral ones
   * that are not among the newest `keep`.
   */
  forgettable(beforeMs: number, keep: number): Promise<Execution[]> {
    const ended = "NOT deleted AND status != 'IN_PROGRESS'";
    const unnamed =
      "(NOT materialized OR table_name = concat('query_', replaceAll(uuid, '-', '_')))";
    const isOld = `${unnamed} AND start_time < fromUnixTimestamp64Milli(${beforeMs})`;
    const newest = `SELECT uuid FROM ${TABLE} FINAL WHERE ${ended} AND NOT materialized
      ORDER BY start_time DESC LIMIT ${keep}`;
    return this.#read(
      `${ended} AND (${isOld} OR NOT materialized AND uuid NOT IN (${newest})) LIMIT ${LISTED_MAX}`,
    );
  }

  /** Copies the row of the query with new values, given as SQL. */
  #replace({ uuid, version }: Execution, values: Record<string, string>): Promise<boolean> {
    return this.#change(uuid, (change) => {
      const all = { ...values, ...change, version: String(version + 1) };
      const pairs = Object.entries(all).map(([name, value]) => `${value} AS ${name}`);
      return `SELECT * REPLACE (${pairs.join(', ')}) FROM ${TABLE} AS h FINAL
        WHERE h.uuid = ${literal(uuid)} AND h.version = ${version}`;
    });
  }

  /** Inserts at most one row of the query. @returns whether it did */
  #change(uuid: string, source: (change: Record<string, string>) => string): Promise<boolean> {
    const change = literal(randomUUID());
    const written_at = 'now64(3)'; // of the clock that uptime() in pending() is of
    const work = this.#before.then(async () => {
      await this.#alone(`INSERT INTO ${TABLE} ${source({ change, written_at })}`);
      const latest = `SELECT count() FROM ${TABLE} WHERE uuid = ${literal(uuid)} AND change = ${change}`;
      return (await this.#database.count(latest)) > 0;
    });
    this.#before = work.catch(() => undefined);
    return work;
  }

  /** Runs the statement while no replica runs another one of this kind. */
  async #alone(statement: string): Promise<void> {
    const giveUpMs = performance.now() + WAIT_MS_MAX;
    for (;;) {
      try {
        return await this.#database.command(statement, {
          queryId: CHANGE_ID,
          settings: { max_execution_time: CHANGE_S_MAX, replace_running_query: 0 },
        });
      } catch (thrown) {
        if (clickHouseErrorType(thrown) !== 'QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING') throw thrown;
        if (performance.now() > giveUpMs)
          throw new BigtraceError(
            'too_many_queries',
            `other replicas changed the query history for ${WAIT_MS_MAX / 1000} s; try again`,
          );
        await sleep(randomInt(...RETRY_MS));
      }
    }
  }

  async #read(condition: string): Promise<Execution[]> {
    const rows = await this.#database.rows(
      `SELECT uuid, toString(version), toString(toUnixTimestamp64Milli(written_at)), status,
         toString(toUnixTimestamp64Milli(start_time)), toString(toUnixTimestamp64Milli(end_time)), user, perfetto_sql, prelude, request,
         toString(materialized), table_name, toString(row_limit), schema, toString(processed_rows),
         toString(processed_traces), toString(total_traces), error_message, ${COST_COLUMNS}
       FROM ${TABLE} FINAL WHERE ${condition}`,
    );
    return rows.map(executionOf);
  }
}

const UNENDED = "status = 'IN_PROGRESS' AND NOT deleted";
const RUNNING = `SELECT count() FROM ${TABLE} FINAL WHERE ${UNENDED}`;

/** SQL for a number above 0 if the name is taken. */
function takenSql(name: string): string {
  const named = literal(name);
  return `((SELECT count() FROM ${TABLE} FINAL WHERE table_name = ${named} AND NOT deleted) +
    (SELECT count() FROM system.tables WHERE database = 'bigtrace_results' AND name = ${named}))`;
}

/** The values of a new row, as SQL. */
function newRow(one: Execution): Record<string, string> {
  return {
    uuid: literal(one.uuid),
    version: String(one.version),
    status: literal(one.status),
    start_time: dateTime(one.startMs),
    user: literal(one.user),
    perfetto_sql: literal(one.perfettoSql),
    prelude: literal(one.prelude),
    request: literal(JSON.stringify(one.snapshot)),
    materialized: String(one.materialized),
    table_name: literal(one.tableName),
    row_limit: String(one.limit),
  };
}

function schemaText(columns: readonly Column[] | undefined): string {
  if (columns === undefined) return '';
  return JSON.stringify(columns.map(({ name, baseType }) => [name, baseType]));
}

function dateTime(ms: number): string {
  return `fromUnixTimestamp64Milli(${ms})`;
}

function executionOf(row: (string | null)[]): Execution {
  const [uuid, version, writtenMs, status, startMs, endMs, user, perfettoSql, prelude, request] =
    row;
  const [materialized, tableName, limit, schema, rows, traces, total, errorMessage] = row.slice(10);
  const cost = costFrom(row.slice(18));
  return {
    uuid: uuid ?? '',
    version: Number(version),
    writtenMs: Number(writtenMs),
    status: status as Status,
    startMs: Number(startMs),
    endMs: endMs === null || endMs === undefined ? undefined : Number(endMs),
    user: user ?? '',
    perfettoSql: perfettoSql ?? '',
    prelude: prelude ?? '',
    snapshot: JSON.parse(request ?? '') as QuerySettings,
    materialized: materialized === 'true',
    tableName: tableName ?? '',
    limit: Number(limit),
    columns: schema ? columnsOf(schema) : undefined,
    processedRows: Number(rows),
    processedTraces: Number(traces),
    totalTraces: Number(total),
    cost,
    errorMessage: errorMessage ?? '',
  };
}

function columnsOf(schema: string): Column[] {
  return (JSON.parse(schema) as [string, string][]).map(([name, type]) => columnOf(name, type));
}
