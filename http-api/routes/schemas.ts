/**
 * JSON Schemas of requests and responses. Fastify validates requests and serializes responses by them, and
 * /openapi.json publishes them.
 */
import { OPERATORS } from '../sql/conditions.ts';

const string = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const strings = { type: 'array', items: string } as const;
const nullable = { type: 'string', nullable: true } as const;

function object(properties: Record<string, object>, required: string[] = []): object {
  return { type: 'object', properties, required };
}

const binary = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };

function list(items: object): object {
  return { type: 'array', items };
}

const UUID = string;
export const uuidParams = object({ uuid: UUID }, ['uuid']);

const settings = list(
  object({ setting_id: string, values: strings, category: string }, ['setting_id', 'values']),
);

const value = { anyOf: [nullable, { type: 'array', items: nullable }] };

const filters = list(
  object({ field: string, op: { type: 'string', enum: OPERATORS }, value }, ['field', 'op']),
);

/** SQLite allows at most 2000 columns in a result. Each name becomes a part of the statement. */
const columnNames = { ...strings, maxItems: 2000 } as const;

const paging = {
  limit: { ...count, default: 50 },
  offset: { ...count, default: 0 },
  order_by: string,
  filters,
  columns: columnNames,
};

export const settingsBody = object({ settings });
export const metadataBody = object({ settings, ...paging });
export const fetchBody = object(paging);
export const tableBody = object({ table_name: string }, ['table_name']);
export const experimentsBody = object({
  search_query: string,
  limit: { ...count, default: 50 },
  offset: { ...count, default: 0 },
});
export const experimentBody = object({ experiment_id: {} }, ['experiment_id']);
export const dropQuery = object({ drop_table: { type: 'string', enum: ['true', 'false'] } });

const execute = {
  limit: { ...count, default: 1000 },
  perfetto_sql: string,
  settings,
  trace_filters: filters,
  trace_metadata_columns: columnNames,
  trace_order_by: string,
  trace_limit: count,
  experiment_filter: { type: 'object', nullable: true, additionalProperties: true },
};
export const executeBody = object(execute, ['perfetto_sql']);
export const executeAsyncBody = object({ ...execute, table_name: string }, ['perfetto_sql']);

const schema = list(object({ name: string, type: string }));
const rows = list(object({ values: list(nullable) }));
export const empty = object({});

export const rootAnswer = object({
  ...{ status: string, service: string, version: string, traceCount: { ...count, nullable: true } },
});
export const configAnswer = object({
  setting: list({ type: 'object', additionalProperties: true }),
});
export const metadataSchemaAnswer = object({
  columns: list(
    object({
      name: string,
      type: string,
      defaultVisible: { type: 'boolean' },
      description: string,
    }),
  ),
});
export const metadataAnswer = object({ columnNames: strings, rows, totalFilteredRows: count });
export const executeAnswer = object({
  queryUuid: string,
  columnNames: strings,
  schema,
  rows,
  totalFilteredRows: count,
});
export const executeAsyncAnswer = object({ queryUuid: string });
export const fetchAnswer = object({
  ...{
    columnNames: strings,
    schema,
    rows,
    totalFilteredRows: count,
    availableColumnNames: strings,
  },
});

const progress = {
  status: { type: 'string', enum: ['IN_PROGRESS', 'SUCCESS', 'FAILED', 'CANCELLED'] },
  processedRows: count,
  processedTraces: count,
  totalTraces: count,
};
const snapshot = {
  settings: list(object({ settingId: string, values: strings, category: string })),
  traceFilters: list({ type: 'object', additionalProperties: true }),
  traceMetadataColumns: strings,
  traceOrderBy: string,
  traceLimit: count,
};
export const statusAnswer = object({ ...progress, errorMessage: string });
export const executionAnswer = object({
  ...{ queryUuid: string, ...progress, startTime: string, endTime: string, limit: count },
  ...{
    perfettoSql: string,
    materialized: { type: 'boolean' },
    tableName: string,
    tableLink: string,
  },
  ...{ error: string, errorMessage: string, schema, ...snapshot },
});
export const executionsAnswer = object({ queryExecutions: list(executionAnswer) });
export const presetsAnswer = object({
  tracePresets: list(
    object({
      ...{ id: string, category: string, name: string, description: string, perfettoSql: string },
      ...{ icon: string, limit: count, materialized: { type: 'boolean' } },
      ...{ settings: snapshot.settings, traceFilters: snapshot.traceFilters },
      ...{ traceMetadataColumns: strings, traceOrderBy: string },
    }),
  ),
});
export const tableAnswer = object({ exists: { type: 'boolean' }, resolvedTableName: string });

const experiment = object({
  ...{ experimentId: count, experimentName: string, controlId: count, controlName: string },
  ...{ isExperimentDenied: { type: 'boolean' }, isControlDenied: { type: 'boolean' } },
});
export const experimentsAnswer = object({ experiments: list(experiment) });
export const experimentAnswer = object({ experiment });

export const traceCall = {
  params: object({ id: string, name: string }, ['id', 'name']),
  response: {
    200: { description: 'the bytes of the trace', content: binary },
    206: { description: 'a range of them', content: binary },
  },
};

export const errorAnswer = object({ detail: string }, ['detail']);
