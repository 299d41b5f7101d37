/** Routes of queries: execute, list, status, fetch results, cancel, delete. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { BaseOf } from '../base.ts';
import { signalOf } from '../caller.ts';
import * as contract from '../contract/page.ts';
import { badRequest } from '../http-error.ts';
import { callerOf } from '../login/caller.ts';
import type { ExecuteRequest, Executor } from '../queries/executor.ts';
import { beginSession, sessionOf } from '../sessions/sessions.ts';
import {
  executeRequest,
  type WireContext,
  wireExecution,
  wirePage,
  wireStatus,
  wireSummary,
} from '../wire.ts';
import { schemaOf, typed } from './api.ts';
import { withFirstChunk } from './trace.ts';

const params = contract.ByUuid;

const FORMATS = {
  csv: { format: 'CSVWithNames', type: 'text/csv; charset=utf-8' },
  parquet: { format: 'Parquet', type: 'application/vnd.apache.parquet' },
} as const;

const content = { schema: { type: 'string', format: 'binary' } };
const FILE = {
  200: {
    description: 'the rows as a file',
    content: { [FORMATS.csv.type]: content, [FORMATS.parquet.type]: content },
  },
  '4xx': contract.ErrorResponse,
  '5xx': contract.ErrorResponse,
};

export interface QueryParts {
  executor: Executor;
  /** As users reach it, for links. */
  clickhouseUrl: string;
  defaultTraces: readonly string[];
  baseOf: BaseOf;
}

export function addQueryRoutes(app: FastifyInstance, parts: QueryParts): void {
  const { executor, clickhouseUrl, defaultTraces, baseOf } = parts;
  const wire: WireContext = { clickhouseUrl, expiryMs: (one) => executor.expiryMs(one) };
  const api = typed(app);
  api.post(
    '/execute_bigtrace_query',
    schemaOf(contract.ExecuteAnswer, { body: contract.ExecuteBody }),
    async (request, reply) => {
      const execution = executeRequest(request.body, false, {
        ...{ user: callerOf(request).user, session: sessionOf(request, reply, baseOf) },
        ...{ base: baseOf(request), defaultTraces },
      });
      const signal = signalOf(reply);
      const { uuid } = await executor.start(execution, signal);
      return { queryUuid: uuid, ...(await firstPage(executor, uuid, execution, signal)) };
    },
  );
  api.post(
    '/execute_bigtrace_query_async',
    schemaOf(contract.ExecuteAsyncAnswer, { body: contract.ExecuteAsyncBody }),
    async (request, reply) => {
      const execution = executeRequest(request.body, true, {
        ...{ user: callerOf(request).user, session: sessionOf(request, reply, baseOf) },
        ...{ base: baseOf(request), defaultTraces },
      });
      const { uuid } = await executor.start(execution, signalOf(reply));
      return { queryUuid: uuid };
    },
  );
  api.get('/query_executions', schemaOf(contract.ExecutionsAnswer), async () => ({
    queryExecutions: (await executor.list()).map((one) => wireSummary(one, wire)),
  }));
  api.post(
    '/session/reset',
    schemaOf(contract.Empty, { body: contract.ResetBody }),
    async (request, reply) => {
      if (callerOf(request).account !== undefined) beginSession(request, reply, baseOf);
      return {};
    },
  );
  addExecutionRoutes(app, parts, wire);
}

function addExecutionRoutes(
  app: FastifyInstance,
  { executor, baseOf }: QueryParts,
  wire: WireContext,
): void {
  const api = typed(app);
  api.get(
    '/query_executions/:uuid',
    schemaOf(contract.WireExecution, { params }),
    async ({ params: { uuid } }) => wireExecution(await executor.find(uuid), wire),
  );
  api.get(
    '/query_executions/:uuid/status',
    schemaOf(contract.WireStatus, { params }),
    async ({ params: { uuid } }) => wireStatus(await executor.find(uuid)),
  );
  api.post(
    '/query_executions/:uuid/fetch_results',
    schemaOf(contract.FetchAnswer, { params, body: contract.PageRequest }),
    async (request, reply) => {
      const { uuid } = request.params;
      const { body } = request;
      const context = { base: baseOf(request), signal: signalOf(reply) };
      const page = await executor.page(uuid, body, context);
      return { ...wirePage(page), availableColumnNames: page.available.map(({ name }) => name) };
    },
  );
  api.get(
    '/query_executions/:uuid/download',
    {
      schema: { params, querystring: contract.DownloadQuery, response: FILE },
      exposeHeadRoute: false, // it would read all rows
    },
    async (request, reply) => {
      const { format, type } = FORMATS[request.query.format];
      const { name, bytes } = await executor.download(request.params.uuid, format, signalOf(reply));
      const body = await withFirstChunk(bytes);
      reply.headers({
        'Content-Type': type,
        'Content-Disposition': `attachment; filename="${name}.${request.query.format}"`,
      });
      return reply.send(Readable.from(body, { objectMode: false }));
    },
  );
  api.post(
    '/query_executions/:uuid/cancel',
    schemaOf(contract.Empty, { params }),
    async ({ params: { uuid } }) => {
      await executor.cancel(uuid);
      return {};
    },
  );
  api.delete(
    '/query_executions/:uuid',
    schemaOf(contract.Empty, { params, querystring: contract.DropQuery }),
    async ({ params: { uuid }, query }) => {
      await executor.remove(uuid, query.drop_table === 'true');
      return {};
    },
  );
}

/**
 * Waits for the query and returns its first page.
 * @throws invalid_option with the query's error message if it failed or was cancelled
 */
async function firstPage(
  executor: Executor,
  uuid: string,
  { limit, base }: ExecuteRequest,
  signal: AbortSignal,
): Promise<contract.WirePage> {
  const { status, errorMessage } = await executor.ended(uuid, signal);
  if (status !== 'SUCCESS') throw badRequest(errorMessage || `the query is ${status}`);
  return wirePage(await executor.page(uuid, { limit, offset: 0 }, { base, signal }));
}
