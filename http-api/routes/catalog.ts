/** Routes that list settings, traces, experiments and presets, and check table names. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../../lib/common/observability/log.ts';
import type { BaseOf } from '../base.ts';
import { signalOf } from '../caller.ts';
import * as contract from '../contract/page.ts';
import type { Executor } from '../queries/executor.ts';
import type { Experiments } from '../queries/experiments.ts';
import { RESULTS } from '../queries/plan.ts';
import { checkTableName } from '../queries/table-name.ts';
import { executionConfig, parseSettings, traceLimit, uuidFilters } from '../settings.ts';
import type { Traces } from '../sql/traces.ts';
import { experimentFilters, wireRows } from '../wire.ts';
import { schemaOf, typed } from './api.ts';

export interface CatalogParts {
  traces: Traces;
  experiments: Experiments;
  executor: Executor;
  presets: readonly contract.Preset[];
  /** Addresses of requests without the setting `traces`; empty for the whole catalog. */
  defaultTraces: readonly string[];
  baseOf: BaseOf;
  log: Logger;
}

export function addCatalogRoutes(app: FastifyInstance, parts: CatalogParts): void {
  const { traces, presets, executor, defaultTraces, baseOf, log } = parts;
  const api = typed(app);
  api.post('/bigtrace_execution_config', schemaOf(contract.ConfigAnswer), async () => ({
    setting: executionConfig(defaultTraces),
  }));
  api.post(
    '/trace_metadata_schema',
    schemaOf(contract.MetadataSchemaAnswer, { body: contract.SettingsBody }),
    async (request, reply) => {
      const selected = traces.for(signalOf(reply));
      const { settings = [] } = request.body;
      // The page shows errors of this call only.
      traceLimit(settings, 'catalog', defaultTraces);
      await selected.check(parseSettings(settings, defaultTraces));
      return { columns: await selected.schema(baseOf(request)) };
    },
  );
  api.post(
    '/trace_metadata',
    schemaOf(contract.MetadataAnswer, { body: contract.MetadataBody }),
    async (request, reply) => {
      const { settings = [], experiment_filter, ...page } = request.body;
      const chosen = parseSettings(settings, defaultTraces);
      const filters = [
        ...(page.filters ?? []),
        ...uuidFilters(settings),
        ...experimentFilters(experiment_filter),
      ];
      const { columns, rows, total } = await traces
        .for(signalOf(reply))
        .page(chosen, { ...page, filters }, baseOf(request));
      return {
        columnNames: columns.map(({ name }) => name),
        rows: wireRows(rows),
        totalFilteredRows: total,
      };
    },
  );
  api.get('/trace_presets', schemaOf(contract.PresetsAnswer), async (_, reply) => ({
    tracePresets: await traces.for(signalOf(reply)).presets(presets, log),
  }));
  api.post(
    '/check_table_exists',
    schemaOf(contract.TableAnswer, { body: contract.TableBody }),
    async ({ body: { table_name } }) => {
      const name = checkTableName(table_name.trim());
      return { exists: await executor.tableExists(name), resolvedTableName: `${RESULTS}.${name}` };
    },
  );
  // Nothing is cached here that could be out of date.
  api.post('/refresh', schemaOf(contract.RefreshAnswer), async () => ({
    status: 'ok',
    traceCount: await traces.count(),
  }));
  addExperimentRoutes(app, parts.experiments);
}

function addExperimentRoutes(app: FastifyInstance, experiments: Experiments): void {
  const api = typed(app);
  api.post(
    '/experiments',
    schemaOf(contract.ExperimentsAnswer, { body: contract.ExperimentsBody }),
    async ({ body }, reply) => ({
      experiments: await experiments.for(signalOf(reply)).search(body),
    }),
  );
  api.post(
    '/experiment_metadata',
    schemaOf(contract.ExperimentAnswer, { body: contract.ExperimentBody }),
    async ({ body: { experiment_id } }, reply) => {
      const experiment = await experiments.for(signalOf(reply)).find(String(experiment_id));
      return experiment === undefined ? {} : { experiment };
    },
  );
}
