/**
 * Messages of the HTTP API that Perfetto's BigTrace page uses. Each is a schema and, under the same name, the
 * TypeScript type derived from it. Fastify checks requests and serializes responses by the schemas, and /openapi.json
 * publishes them. Other rooms import the types only. Requests are in snake_case, responses in camelCase.
 */
import { type Static, Type } from 'typebox';
import {
  anyObject,
  count,
  flag,
  maybe,
  nullable,
  oneOf,
  text,
  textOrNull,
  texts,
} from './parts.ts';

export const ErrorResponse = Type.Object({ detail: text });
export const Empty = Type.Object({});

// Parts of requests.

const OPERATORS = [
  ...['=', '!=', '<', '<=', '>', '>=', 'glob', 'not glob'],
  ...['in', 'not in', 'is null', 'is not null'],
] as const;

export const Filter = Type.Object({
  field: text,
  op: oneOf(OPERATORS),
  value: maybe(Type.Union([textOrNull, Type.Array(textOrNull)])),
});
export type Filter = Static<typeof Filter>;

export const WireSetting = Type.Object({ setting_id: text, values: texts, category: maybe(text) });
export type WireSetting = Static<typeof WireSetting>;

/** SQLite allows at most 2000 columns in a result. Each name becomes a part of the statement. */
const columnNames = Type.Array(text, { maxItems: 2000 });

const settings = maybe(Type.Array(WireSetting));
const uuid = text;

// Requests.

export const ByUuid = Type.Object({ uuid });
export const ByTrace = Type.Object({ id: text, name: text });
export const SettingsBody = Type.Object({ settings });

/** Rows of a page, and of a query, for which the client names no limit. */
export const PAGE_ROWS = 50;
export const QUERY_ROWS = 1000;

const paging = {
  limit: maybe(Type.Integer({ default: PAGE_ROWS })),
  offset: maybe(Type.Integer({ default: 0 })),
};
const page = {
  ...paging,
  order_by: maybe(text),
  filters: maybe(Type.Array(Filter)),
  columns: maybe(columnNames),
};
export const PageRequest = Type.Object(page);
export type PageRequest = Static<typeof PageRequest>;
const id = Type.Unsafe<number | string>({});
export const ExperimentFilter = Type.Object({
  experiment_id: maybe(id),
  control_id: maybe(id),
  is_treatment: maybe(Type.Unsafe<boolean | null>({})), // the arm; none: both
});
export type ExperimentFilter = Static<typeof ExperimentFilter>;

export const MetadataBody = Type.Object({
  ...{ settings, ...page },
  experiment_filter: maybe(nullable(ExperimentFilter)),
});

export const TableBody = Type.Object({ table_name: text });
export const ExperimentsBody = Type.Object({ search_query: maybe(text), ...paging });
export const ExperimentBody = Type.Object({ experiment_id: Type.Unsafe<unknown>({}) });
export const DownloadQuery = Type.Object({ format: oneOf(['csv', 'parquet']) });
export const DropQuery = Type.Object({ drop_table: maybe(oneOf(['true', 'false'])) });

const execute = {
  limit: maybe(Type.Integer({ minimum: 0, default: QUERY_ROWS })),
  perfetto_sql: text,
  settings,
  trace_filters: maybe(Type.Array(Filter)),
  trace_metadata_columns: maybe(columnNames),
  trace_order_by: maybe(text),
  trace_limit: maybe(count),
  experiment_filter: maybe(nullable(ExperimentFilter)),
};
export const ExecuteBody = Type.Object(execute);
export const ExecuteAsyncBody = Type.Object({ ...execute, table_name: maybe(text) });
export type ExecuteBody = Static<typeof ExecuteAsyncBody>;

// Responses.

export const WireType = oneOf([
  ...['INT64', 'UINT64', 'FLOAT64', 'STRING', 'BOOL', 'DATE', 'TIMESTAMP', 'BYTES'],
] as const);
export type WireType = Static<typeof WireType>;

export const WireColumn = Type.Object({ name: text, type: WireType });
export type WireColumn = Static<typeof WireColumn>;
const schema = Type.Array(WireColumn);

/** The values are in the order of the columns. */
export const WireRow = Type.Object({ values: Type.Array(textOrNull) });
export type WireRow = Static<typeof WireRow>;
const rows = Type.Array(WireRow);

export const RootAnswer = Type.Object({
  ...{ status: text, service: text, version: text, traceCount: nullable(count) },
});
/** The body of POST /session/reset: a form on another site cannot send JSON. */
export const ResetBody = Type.Object({});
export const RefreshAnswer = Type.Object({ status: text, traceCount: count });
export const ConfigAnswer = Type.Object({ setting: Type.Array(anyObject) });

export const MetadataColumn = Type.Object({
  ...{ name: text, type: WireType, defaultVisible: flag, description: maybe(text) },
});
export type MetadataColumn = Static<typeof MetadataColumn>;
export const MetadataSchemaAnswer = Type.Object({ columns: Type.Array(MetadataColumn) });
export const MetadataAnswer = Type.Object({ columnNames: texts, rows, totalFilteredRows: count });

const resultPage = { columnNames: texts, schema, rows, totalFilteredRows: count };
export const WirePage = Type.Object(resultPage);
export type WirePage = Static<typeof WirePage>;
export const ExecuteAnswer = Type.Object({ queryUuid: uuid, ...resultPage });
export const ExecuteAsyncAnswer = Type.Object({ queryUuid: uuid });
export const FetchAnswer = Type.Object({ ...resultPage, availableColumnNames: texts });

export const Status = oneOf(['IN_PROGRESS', 'SUCCESS', 'FAILED', 'CANCELLED']);
export type Status = Static<typeof Status>;

/** How the page selected traces. It is returned unchanged so that the page can show the query again. */
export const QuerySettings = Type.Object({
  settings: Type.Array(Type.Object({ settingId: text, values: texts, category: text })),
  traceFilters: Type.Array(anyObject),
  traceMetadataColumns: texts,
  traceOrderBy: text,
  traceLimit: count,
  experimentFilter: maybe(anyObject),
});
export type QuerySettings = Static<typeof QuerySettings>;

/**
 * What the query has cost: milliseconds of engine threads, bytes of traces read from stores, and the sources of the
 * results of the traces that are done.
 */
export const Cost = Type.Object({
  ...{ coreMs: count, traceBytes: count, tracesRemembered: count, tracesLoaded: count },
  ...{ tracesRestored: count, tracesParsed: count },
});
export type Cost = Static<typeof Cost>;

const progress = {
  ...{ status: Status, processedRows: count, processedTraces: count, totalTraces: count },
  errorMessage: maybe(text),
  cost: maybe(Cost), // missing while it is unknown
};
export const WireStatus = Type.Object(progress);
export type WireStatus = Static<typeof WireStatus>;

export const WireExecution = Type.Object({
  ...{ queryUuid: uuid, ...progress, startTime: text, endTime: maybe(text), limit: count },
  expireTime: maybe(text), // when the query and its rows are deleted; none: never
  ...{ user: text, prelude: maybe(text) }, // who sent it; what its session ran before it
  ...{ perfettoSql: text, materialized: flag, tableName: maybe(text) },
  tableLink: maybe(text), // to ClickHouse's Play page, with a query of the table
  ...{ error: maybe(text), schema: maybe(schema), ...QuerySettings.properties },
});
export type WireExecution = Static<typeof WireExecution>;
export const ExecutionsAnswer = Type.Object({ queryExecutions: Type.Array(WireExecution) });

export const Preset = Type.Object({
  ...{ id: text, category: text, name: text, description: text, perfettoSql: text },
  ...{ icon: maybe(text), limit: maybe(count), materialized: maybe(flag) },
  settings: maybe(QuerySettings.properties.settings),
  traceFilters: maybe(QuerySettings.properties.traceFilters),
  traceMetadataColumns: maybe(texts),
  traceOrderBy: maybe(text),
});
export type Preset = Static<typeof Preset>;
export const PresetsAnswer = Type.Object({ tracePresets: Type.Array(Preset) });

export const TableAnswer = Type.Object({ exists: flag, resolvedTableName: text });

export const Experiment = Type.Object({
  ...{ experimentId: count, experimentName: text, controlId: count, controlName: text },
  ...{ isExperimentDenied: flag, isControlDenied: flag },
});
export type Experiment = Static<typeof Experiment>;
export const ExperimentsAnswer = Type.Object({ experiments: Type.Array(Experiment) });
export const ExperimentAnswer = Type.Object({ experiment: maybe(Experiment) });
