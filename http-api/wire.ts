/** Converts between the HTTP format and the backend's types. Requests are snake_case, responses camelCase. */

import type { Row } from '../lib/clickhouse/client.ts';
import {
  type ExecuteBody,
  type ExperimentFilter,
  type Filter,
  QUERY_ROWS,
  type WireExecution,
  type WirePage,
  type WireRow,
  type WireStatus,
} from './contract/page.ts';
import { schemaOf } from './queries/columns.ts';
import type { ExecuteRequest, ResultPage } from './queries/executor.ts';
import type { Execution } from './queries/history.ts';
import { RESULTS } from './queries/plan.ts';
import { parseSettings, traceLimit, uuidFilters } from './settings.ts';

const LISTED_SQL_CHARS = 1000;

export interface RequestContext {
  /** URL of this server as the client addressed it. */
  base: string;
  /** Addresses of requests without the setting `traces`; empty for the whole catalog. */
  defaultTraces: readonly string[];
}

/** @throws invalid_option */
export function executeRequest(
  body: ExecuteBody,
  materialized: boolean,
  { base, defaultTraces }: RequestContext,
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
  const isWhole = parsed.addresses.length === 0;
  const isOfCatalog = isWhole || parsed.where !== '' || filters.length > 0;
  return {
    perfettoSql: body.perfetto_sql,
    limit: body.limit ?? QUERY_ROWS,
    choice: {
      settings: parsed,
      filters,
      orderBy: traceOrderBy,
      limit: body.trace_limit || (isOfCatalog ? traceLimit(settings, isWhole) : 0),
    },
    metadataColumns: [...new Set(traceMetadataColumns)],
    snapshot: {
      settings: settings.map(({ setting_id, values, category = '' }) => ({
        settingId: setting_id,
        values,
        category,
      })),
      ...{ traceFilters, traceMetadataColumns, traceOrderBy, traceLimit: body.trace_limit ?? 0 },
    },
    tableName: body.table_name?.trim() ? body.table_name.trim() : undefined,
    materialized,
    base,
  };
}

/** Filters for the traces of one arm of an experiment, over catalog columns that a manifest added. */
function experimentFilters(filter: ExperimentFilter | null | undefined): Filter[] {
  const { experiment_id, control_id, is_treatment } = filter ?? {};
  const equal = (field: string, value: unknown): Filter[] =>
    value === undefined || value === null ? [] : [{ field, op: '=', value: String(value) }];
  return [
    ...equal('experiment_id', experiment_id),
    ...equal('control_id', control_id),
    ...equal('is_treatment', is_treatment === undefined ? undefined : Number(is_treatment)),
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
  const { status, processedRows, processedTraces, totalTraces, errorMessage } = execution;
  const counts = { status, processedRows, processedTraces, totalTraces };
  return errorMessage === '' ? counts : { ...counts, errorMessage };
}

/** For lists: a script may have megabytes. */
export function wireSummary(execution: Execution, clickhouseUrl: string): WireExecution {
  const { perfettoSql } = execution;
  const isLong = perfettoSql.length > LISTED_SQL_CHARS;
  const clipped = isLong ? `${perfettoSql.slice(0, LISTED_SQL_CHARS - 1)}…` : perfettoSql;
  return wireExecution({ ...execution, perfettoSql: clipped }, clickhouseUrl);
}

/** Unknown values are left out: the page treats a present schema as final, and a present error as a failure. */
export function wireExecution(execution: Execution, clickhouseUrl: string): WireExecution {
  const { uuid, startMs, endMs, columns, materialized, tableName, snapshot } = execution;
  const { limit, perfettoSql, status, errorMessage } = execution;
  return {
    queryUuid: uuid,
    ...wireStatus(execution),
    startTime: new Date(startMs).toISOString(),
    ...(endMs === undefined ? {} : { endTime: new Date(endMs).toISOString() }),
    ...{ limit, perfettoSql, materialized },
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
