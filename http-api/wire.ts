/** Converts between the HTTP format and the backend's types. Requests are snake_case, responses camelCase. */

import type { Row } from '../lib/clickhouse/client.ts';
import {
  type ExecuteBody,
  type ExperimentFilter,
  type Filter,
  QUERY_ROWS,
  type QuerySettings,
  type WireExecution,
  type WirePage,
  type WireRow,
  type WireStatus,
} from './contract/page.ts';
import { schemaOf } from './queries/columns.ts';
import type { ExecuteRequest, ResultPage } from './queries/executor.ts';
import type { Execution } from './queries/history.ts';
import { RESULTS } from './queries/plan.ts';
import { keepsSession, parseSettings, traceLimit, uuidFilters } from './settings.ts';

const LISTED_SQL_CHARS = 1000;

const ARMS: [string[], string[]] = [
  ['0', 'false', 'False', 'FALSE'],
  ['1', 'true', 'True', 'TRUE'],
];

/** The filter in the form of responses, to be returned with the query; nothing without one. */
function echoed(
  filter: ExperimentFilter | null | undefined,
): Pick<QuerySettings, 'experimentFilter'> {
  if (filter === undefined || filter === null) return {};
  const { experiment_id, control_id, is_treatment } = filter;
  return {
    experimentFilter: {
      ...(experiment_id === undefined ? {} : { experimentId: experiment_id }),
      ...(control_id === undefined ? {} : { controlId: control_id }),
      ...(typeof is_treatment === 'boolean' ? { isTreatment: is_treatment } : {}),
    },
  };
}

export interface RequestContext {
  /** Who sent the request (login/caller.ts). */
  user: string;
  /** The session of the request (sessions/sessions.ts). */
  session: string | undefined;
  /** URL of this server as the client addressed it. */
  base: string;
  /** Addresses of requests without the setting `traces`; empty for the whole catalog. */
  defaultTraces: readonly string[];
}

/** @throws invalid_option */
export function executeRequest(
  body: ExecuteBody,
  materialized: boolean,
  { user, session, base, defaultTraces }: RequestContext,
): ExecuteRequest {
  const settings = body.settings ?? [];
  const parsed = parseSettings(settings, defaultTraces);
  const traceFilters = [
    ...(body.trace_filters ?? []),
    ...experimentFilters(body.experiment_filter),
  ];
  const traceMetadataColumns = body.trace_metadata_columns ?? [];
  const traceOrderBy = body.trace_order_by ?? '';
  const filters = [...traceFilters, ...uuidFilters(settings)];
  const isOfCatalog = parsed.where !== '' || filters.length > 0;
  const isNamed = parsed.addresses.length > 0;
  const from = isNamed ? (isOfCatalog ? 'catalog' : 'names') : 'whole catalog';
  return {
    user,
    session: keepsSession(settings) ? session : undefined,
    perfettoSql: body.perfetto_sql,
    limit: body.limit ?? QUERY_ROWS,
    choice: {
      settings: parsed,
      filters,
      orderBy: traceOrderBy,
      limit: body.trace_limit || traceLimit(settings, from, defaultTraces),
    },
    metadataColumns: [...new Set(traceMetadataColumns)],
    snapshot: {
      settings: settings.map(({ setting_id, values, category = '' }) => ({
        settingId: setting_id,
        values,
        category,
      })),
      traceFilters: body.trace_filters ?? [],
      ...{ traceMetadataColumns, traceOrderBy, traceLimit: body.trace_limit ?? 0 },
      ...echoed(body.experiment_filter),
    },
    tableName: body.table_name?.trim() ? body.table_name.trim() : undefined,
    materialized,
    base,
  };
}

/**
 * Filters for the traces of one arm of an experiment, over catalog columns that a manifest added. Without an arm, both
 * are selected. A manifest may write the arm as a number or a boolean.
 */
export function experimentFilters(filter: ExperimentFilter | null | undefined): Filter[] {
  const { experiment_id, control_id, is_treatment } = filter ?? {};
  const equal = (field: string, value: unknown): Filter[] =>
    value === undefined || value === null ? [] : [{ field, op: '=', value: String(value) }];
  return [
    ...equal('experiment_id', experiment_id),
    ...equal('control_id', control_id),
    ...(typeof is_treatment === 'boolean'
      ? [{ field: 'is_treatment', op: 'in' as const, value: ARMS[is_treatment ? 1 : 0] }]
      : []),
  ];
}

export function wireRows(rows: readonly Row[]): WireRow[] {
  return rows.map((values) => ({ values }));
}

export function wirePage({ columns, rows, total }: ResultPage): WirePage {
  return {
    columnNames: columns.map(({ name }) => name),
    schema: schemaOf(columns),
    rows: wireRows(rows),
    totalFilteredRows: total,
  };
}

export function wireStatus(execution: Execution): WireStatus {
  const { status, processedRows, processedTraces, totalTraces, cost, errorMessage } = execution;
  const counts = {
    ...{ status, processedRows, processedTraces, totalTraces },
    ...(cost === undefined ? {} : { cost }),
  };
  return errorMessage === '' ? counts : { ...counts, errorMessage };
}

export interface WireContext {
  /** As users reach it, for links. */
  clickhouseUrl: string;
  /** When the query is deleted by itself, in milliseconds since the epoch; undefined: never. */
  expiryMs: (execution: Execution) => number | undefined;
}

/** For lists: a script may have megabytes, what runs before it 64 KiB. */
export function wireSummary(execution: Execution, context: WireContext): WireExecution {
  const { perfettoSql, prelude } = execution;
  const shown = { perfettoSql: clipped(perfettoSql), prelude: clipped(prelude) };
  return wireExecution({ ...execution, ...shown }, context);
}

function clipped(sql: string): string {
  return sql.length > LISTED_SQL_CHARS ? `${sql.slice(0, LISTED_SQL_CHARS - 1)}…` : sql;
}

/** Unknown values are left out: the page treats a present schema as final, and a present error as a failure. */
export function wireExecution(
  execution: Execution,
  { clickhouseUrl, expiryMs }: WireContext,
): WireExecution {
  const { uuid, user, startMs, endMs, columns, materialized, tableName, snapshot } = execution;
  const { limit, perfettoSql, prelude, status, errorMessage } = execution;
  const expires = expiryMs(execution);
  return {
    queryUuid: uuid,
    ...wireStatus(execution),
    startTime: new Date(startMs).toISOString(),
    ...(endMs === undefined ? {} : { endTime: new Date(endMs).toISOString() }),
    ...{ user, limit, perfettoSql, materialized },
    ...(prelude === '' ? {} : { prelude }),
    ...(expires === undefined ? {} : { expireTime: new Date(expires).toISOString() }),
    ...(materialized
      ? { tableName: `${RESULTS}.${tableName}`, tableLink: playLink(clickhouseUrl, tableName) }
      : {}),
    ...(status === 'FAILED' ? { error: errorMessage } : {}),
    ...(columns === undefined ? {} : { schema: schemaOf(columns) }),
    ...snapshot,
  };
}

/** URL of ClickHouse's Play page with a query of the table. */
function playLink(clickhouseUrl: string, tableName: string): string {
  const query = `SELECT * FROM ${RESULTS}.${tableName} ORDER BY _row LIMIT 100`;
  return `${clickhouseUrl}/play#${Buffer.from(query).toString('base64')}`;
}
