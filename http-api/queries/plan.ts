/** What a replica needs to start a query, in addition to its row of the history; and the table that the start fills. */
import { identifier } from '../../lib/common/text/sql-literal.ts';

export const RESULTS = 'bigtrace_results';

export interface Plan {
  /** Addresses, patterns and `/where/…`. */
  addresses: readonly string[];
  strict: boolean;
  /** In seconds; 0: only the limits of the services apply. */
  timeoutS: number;
  metadataColumns: readonly string[];
  /** URL of this server as the client addressed it, for links. */
  base: string;
  /** What runs after the script (sessions/kept.ts); undefined: an earlier version of Bigtrace made the plan. */
  ending?: string;
}

export function tableOf({ tableName }: { tableName: string }): string {
  return `${RESULTS}.${identifier(tableName)}`;
}

/** A start of a query: its ID, and the version of the history when it was started. */
export interface Start {
  uuid: string;
  version: number;
}

/** Names the start of a query that made a table, as the table's comment. */
export function startName({ uuid, version }: Start): string {
  return `query ${uuid}, start ${version}`;
}

/** The start that a table or statement with this comment is of; undefined if it is of none. */
export function startNamed(comment: string): Start | undefined {
  const [, uuid, version] = /^query (\S+), start (\d+)$/.exec(comment) ?? [];
  return uuid === undefined ? undefined : { uuid, version: Number(version) };
}

/** The version of the start of the query that made the table with this comment; undefined if none did. */
export function startOf(comment: string, { uuid }: Pick<Start, 'uuid'>): number | undefined {
  const start = startNamed(comment);
  return start?.uuid === uuid ? start.version : undefined;
}

/**
 * ClickHouse's setting log_comment for the statements of a query. The views tell the orchestrator the user in it
 * (clickhouse/views/query-views.mjs).
 */
export function userComment({ user }: { user: string }): string {
  return JSON.stringify({ user });
}

/** The log_comment of the INSERT of a start; the query log has it. */
export function insertComment(start: Start & { user: string }): string {
  return JSON.stringify({ user: start.user, insert: startName(start) });
}
