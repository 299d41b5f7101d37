/** Routes that list settings, traces, experiments and presets, and check table names. */
import type { FastifyInstance } from 'fastify';
import { baseOf } from '../base.ts';
import { RESULTS } from '../queries/execution.ts';
import type { Executor } from '../queries/executor.ts';
import type { Experiments } from '../queries/experiments.ts';
import { checkTableName } from '../queries/table-name.ts';
import { EXECUTION_CONFIG, parseSettings } from '../settings.ts';
import type { PageRequest } from '../sql/page.ts';
import type { Traces } from '../sql/traces.ts';
import { wireRows } from '../wire.ts';
import type { Preset, WireSetting } from '../wire-types.ts';
import { schemaOf } from './queries.ts';
import * as schemas from './schemas.ts';

export interface CatalogParts {
  traces: Traces;
  experiments: Experiments;
  executor: Executor;
  presets: readonly Preset[];
}

interface WithSettings {
  settings?: WireSetting[];
}

export function addCatalogRoutes(app: FastifyInstance, parts: CatalogParts): void {
  const { traces, presets, executor } = parts;
  app.post('/bigtrace_execution_config', schemaOf(schemas.configAnswer), async () => ({
    setting: EXECUTION_CONFIG,
  }));
  app.post<{ Body: WithSettings }>(
    '/trace_metadata_schema',
    schemaOf(schemas.metadataSchemaAnswer, { body: schemas.settingsBody }),
    async (request) => ({ columns: await traces.schema(baseOf(request)) }),
  );
  app.post<{ Body: WithSettings & PageRequest }>(
    '/trace_metadata',
    schemaOf(schemas.metadataAnswer, { body: schemas.metadataBody }),
    async (request) => {
      const { settings = [], ...page } = request.body;
      const { columns, rows, total } = await traces.page(
        parseSettings(settings),
        page,
        baseOf(request),
      );
      return {
        columnNames: columns.map(({ name }) => name),
        rows: wireRows(rows),
        totalFilteredRows: total,
      };
    },
  );
  app.get('/trace_presets', schemaOf(schemas.presetsAnswer), async () => ({
    tracePresets: presets,
  }));
  app.post<{ Body: { table_name: string } }>(
    '/check_table_exists',
    schemaOf(schemas.tableAnswer, { body: schemas.tableBody }),
    async ({ body: { table_name } }) => {
      const name = checkTableName(table_name.trim());
      return { exists: await executor.tableExists(name), resolvedTableName: `${RESULTS}.${name}` };
    },
  );
  addExperimentRoutes(app, parts.experiments);
}

function addExperimentRoutes(app: FastifyInstance, experiments: Experiments): void {
  app.post<{ Body: { search_query?: string; limit: number; offset: number } }>(
    '/experiments',
    schemaOf(schemas.experimentsAnswer, { body: schemas.experimentsBody }),
    async ({ body: { search_query = '', limit, offset } }) => ({
      experiments: await experiments.search(search_query, limit, offset),
    }),
  );
  app.post<{ Body: { experiment_id: unknown } }>(
    '/experiment_metadata',
    schemaOf(schemas.experimentAnswer, { body: schemas.experimentBody }),
    async ({ body: { experiment_id } }) => {
      const experiment = await experiments.find(String(experiment_id));
      return experiment === undefined ? {} : { experiment };
    },
  );
}
