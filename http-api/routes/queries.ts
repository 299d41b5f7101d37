/** Routes of queries: execute, list, status, fetch results, cancel, delete. */
import type { FastifyInstance } from 'fastify';
import { baseOf } from '../base.ts';
import { badRequest } from '../http-error.ts';
import type { ExecuteRequest, Executor } from '../queries/executor.ts';
import type { PageRequest } from '../sql/page.ts';
import { type ExecuteBody, executeRequest, wireExecution, wirePage, wireStatus } from '../wire.ts';
import * as schemas from './schemas.ts';

type ByUuid = { Params: { uuid: string } };

const params = schemas.uuidParams;

/** @param clickhouseUrl as users reach it, for links */
export function addQueryRoutes(
  app: FastifyInstance,
  executor: Executor,
  clickhouseUrl: string,
): void {
  app.post<{ Body: ExecuteBody }>(
    '/execute_bigtrace_query',
    schemaOf(schemas.executeAnswer, { body: schemas.executeBody }),
    async (request, reply) => {
      const asked = executeRequest(request.body, false, baseOf(request));
      const { uuid } = await executor.start(asked);
      // Cancel the query if the client disconnects before the response.
      reply.raw.on('close', () => {
        if (!reply.raw.writableFinished) void executor.cancel(uuid).catch(() => undefined);
      });
      return { queryUuid: uuid, ...(await answerOf(executor, uuid, asked)) };
    },
  );
  app.post<{ Body: ExecuteBody }>(
    '/execute_bigtrace_query_async',
    schemaOf(schemas.executeAsyncAnswer, { body: schemas.executeAsyncBody }),
    async (request) => {
      const { uuid } = await executor.start(executeRequest(request.body, true, baseOf(request)));
      return { queryUuid: uuid };
    },
  );
  app.get('/query_executions', schemaOf(schemas.executionsAnswer), async () => ({
    queryExecutions: (await executor.list()).map((one) => wireExecution(one, clickhouseUrl)),
  }));
  addExecutionRoutes(app, executor, clickhouseUrl);
}

function addExecutionRoutes(app: FastifyInstance, executor: Executor, clickhouseUrl: string): void {
  app.get<ByUuid>(
    '/query_executions/:uuid',
    schemaOf(schemas.executionAnswer, { params }),
    async ({ params: { uuid } }) => wireExecution(await executor.find(uuid), clickhouseUrl),
  );
  app.get<ByUuid>(
    '/query_executions/:uuid/status',
    schemaOf(schemas.statusAnswer, { params }),
    async ({ params: { uuid } }) => wireStatus(await executor.find(uuid)),
  );
  app.post<ByUuid & { Body: PageRequest }>(
    '/query_executions/:uuid/fetch_results',
    schemaOf(schemas.fetchAnswer, { params, body: schemas.fetchBody }),
    async ({ params: { uuid }, body }) => {
      const page = await executor.page(uuid, body);
      return { ...wirePage(page), availableColumnNames: page.available.map(({ name }) => name) };
    },
  );
  app.post<ByUuid>(
    '/query_executions/:uuid/cancel',
    schemaOf(schemas.empty, { params }),
    async ({ params: { uuid } }) => {
      await executor.cancel(uuid);
      return {};
    },
  );
  app.delete<ByUuid & { Querystring: { drop_table?: string } }>(
    '/query_executions/:uuid',
    schemaOf(schemas.empty, { params, querystring: schemas.dropQuery }),
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
async function answerOf(
  executor: Executor,
  uuid: string,
  { limit }: ExecuteRequest,
): Promise<object> {
  const { status, errorMessage } = await executor.ended(uuid);
  if (status !== 'SUCCESS') throw badRequest(errorMessage || `the query is ${status}`);
  return wirePage(await executor.page(uuid, { limit, offset: 0 }));
}

/** Fastify schema of a route: request parts to validate, and response formats. */
export function schemaOf(
  answer: object,
  request: { body?: object; params?: object; querystring?: object } = {},
): { schema: object } {
  const failures = { '4xx': schemas.errorAnswer, '5xx': schemas.errorAnswer };
  return { schema: { ...request, response: { 200: answer, ...failures } } };
}
