/** Reads and writes bigtrace.query_history: the queries sent over HTTP, and their state. */

import type { ClickHouse } from '../../lib/clickhouse/client.ts';
import type { Field } from '../../lib/clickhouse/tsv.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import type { QuerySettings, Status } from '../contract/page.ts';
import { type Column, columnOf } from './columns.ts';

const TABLE = 'bigtrace.query_history';
const LISTED_MAX = 1000;

export interface Execution {
  uuid: string;
  version: number;
  owner: string;
  writtenMs: number;
  status: Status;
  startMs: number;
  endMs: number | undefined;
  perfettoSql: string;
  snapshot: QuerySettings;
  /** Whether the query and its table are kept until they are deleted. An ephemeral query is deleted automatically. */
  materialized: boolean;
  /** Name of the table in bigtrace_results. */
  tableName: string;
  limit: number;
  /** Undefined until column finding has ended. */
  columns: Column[] | undefined;
  processedRows: number;
  processedTraces: number;
  totalTraces: number;
  errorMessage: string;
}

export class History {
  readonly #database: ClickHouse;

  constructor(database: ClickHouse) {
    this.#database = database;
  }

  async write(
    executions: readonly Execution[],
    options: { deleted?: boolean } = {},
  ): Promise<void> {
    const writtenMs = Date.now();
    for (const execution of executions) {
      execution.version = Math.max(execution.version + 1, writtenMs);
      execution.writtenMs = writtenMs;
    }
    const rows = executions.map((one) => ({ ...rowOf(one), deleted: options.deleted ?? false }));
    const [first] = rows;
    if (first === undefined) return;
    await this.#database.insert(TABLE, Object.keys(first), [rows.map((row) => Object.values(row))]);
  }

  /** Newest first, LISTED_MAX at most. */
  list(): Promise<Execution[]> {
    return this.#read(`NOT deleted ORDER BY start_time DESC, uuid LIMIT ${LISTED_MAX}`);
  }

  async find(uuid: string): Promise<Execution | undefined> {
    const [execution] = await this.#read(`uuid = ${literal(uuid)} AND NOT deleted`);
    return execution;
  }

  async tableIsTaken(name: string): Promise<boolean> {
    const query = `EXISTS TABLE bigtrace_results.\`${name}\``;
    return (await this.#database.count(query)) > 0;
  }

  /** Ephemeral queries that have ended and that started before `beforeMs`, or are not among the newest `keep`. */
  forgettable(beforeMs: number, keep: number): Promise<Execution[]> {
    const ended = "NOT deleted AND NOT materialized AND status != 'IN_PROGRESS'";
    const newest = `SELECT uuid FROM ${TABLE} FINAL WHERE ${ended} ORDER BY start_time DESC LIMIT ${keep}`;
    return this.#read(
      `${ended} AND (start_time < fromUnixTimestamp64Milli(${beforeMs}) OR uuid NOT IN (${newest})) LIMIT ${LISTED_MAX}`,
    );
  }

  async #read(condition: string): Promise<Execution[]> {
    const rows = await this.#database.rows(
      `SELECT uuid, toString(version), owner, toString(toUnixTimestamp64Milli(written_at)), status,
         toString(toUnixTimestamp64Milli(start_time)), toString(toUnixTimestamp64Milli(end_time)), perfetto_sql, request,
         toString(materialized), table_name, toString(row_limit), schema, toString(processed_rows),
         toString(processed_traces), toString(total_traces), error_message
       FROM ${TABLE} FINAL WHERE ${condition}`,
    );
    return rows.map(executionOf);
  }
}

function rowOf(one: Execution): Record<string, Field> {
  return {
    uuid: one.uuid,
    version: one.version,
    owner: one.owner,
    written_at: dateTime(one.writtenMs),
    status: one.status,
    start_time: dateTime(one.startMs),
    end_time: one.endMs === undefined ? null : dateTime(one.endMs),
    perfetto_sql: one.perfettoSql,
    request: JSON.stringify(one.snapshot),
    materialized: one.materialized,
    table_name: one.tableName,
    row_limit: one.limit,
    schema:
      one.columns === undefined
        ? ''
        : JSON.stringify(one.columns.map(({ name, baseType }) => [name, baseType])),
    processed_rows: one.processedRows,
    processed_traces: one.processedTraces,
    total_traces: one.totalTraces,
    error_message: one.errorMessage,
  };
}

function dateTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
}

function executionOf(row: (string | null)[]): Execution {
  const [uuid, version, owner, writtenMs, status, startMs, endMs, perfettoSql, request] = row;
  const [materialized, tableName, limit, schema, rows, traces, total, errorMessage] = row.slice(9);
  return {
    uuid: uuid ?? '',
    version: Number(version),
    owner: owner ?? '',
    writtenMs: Number(writtenMs),
    status: status as Status,
    startMs: Number(startMs),
    endMs: endMs === null || endMs === undefined ? undefined : Number(endMs),
    perfettoSql: perfettoSql ?? '',
    snapshot: JSON.parse(request ?? '') as QuerySettings,
    materialized: materialized === 'true',
    tableName: tableName ?? '',
    limit: Number(limit),
    columns: schema ? columnsOf(schema) : undefined,
    processedRows: Number(rows),
    processedTraces: Number(traces),
    totalTraces: Number(total),
    errorMessage: errorMessage ?? '',
  };
}

function columnsOf(schema: string): Column[] {
  return (JSON.parse(schema) as [string, string][]).map(([name, type]) => columnOf(name, type));
}
