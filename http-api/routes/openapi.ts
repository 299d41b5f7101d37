/** What /openapi.json says besides the schemas: names and summaries of the calls, servers, ways to log in. */
import swagger, { type SwaggerTransform } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { VERSION } from '../../lib/common/version.ts';

/** Operation ID and summary of each call. Generated clients name their functions by the ID. */
const OPERATIONS: Record<string, readonly [id: string, summary: string]> = {
  'GET /': ['getService', 'Status and version of the service, and the number of traces'],
  'POST /bigtrace_execution_config': ['listSettings', 'The settings of queries'],
  'POST /trace_metadata_schema': ['describeTraces', 'Columns of the catalog of traces'],
  'POST /trace_metadata': ['listTraces', 'A page of the catalog of traces'],
  'GET /trace_presets': ['listPresets', 'Queries that are ready to run'],
  'POST /check_table_exists': ['checkTableName', 'Whether a table of this name exists'],
  'POST /refresh': ['refreshTraces', 'Counts the traces of the catalog'],
  'POST /experiments': ['listExperiments', 'Experiments of the catalog'],
  'POST /experiment_metadata': ['getExperiment', 'One experiment of the catalog'],
  'GET /trace/:id/:name': ['readTrace', 'The bytes of a trace'],
  'POST /execute_bigtrace_query': ['runQuery', 'Runs a query and returns its first rows'],
  'POST /execute_bigtrace_query_async': ['startQuery', 'Starts a query and returns its ID'],
  'GET /query_executions': ['listQueries', 'The queries, the newest first'],
  'GET /query_executions/:uuid': ['getQuery', 'One query'],
  'DELETE /query_executions/:uuid': ['deleteQuery', 'Deletes a query, and its rows if asked to'],
  'GET /query_executions/:uuid/status': ['getQueryStatus', 'How far a query is'],
  'POST /query_executions/:uuid/fetch_results': ['listRows', 'A page of the rows of a query'],
  'GET /query_executions/:uuid/download': ['downloadRows', 'The rows of a query as a file'],
  'POST /query_executions/:uuid/cancel': ['cancelQuery', 'Cancels a query of this API'],
  'GET /api/caller': ['getCaller', 'Who sends the request'],
  'POST /session/reset': ['resetSession', 'Forgets what earlier scripts of the session defined'],
  'POST /logout': ['logOut', 'Ends the login'],
  'GET /api/state': ['getState', 'Workers and running queries'],
  'GET /api/opener': ['getOpener', 'The Perfetto UI that opens traces'],
  'GET /api/failures': ['listFailures', 'Recent reasons of failures'],
  'GET /api/vocabulary': ['listNames', 'Tables, functions and modules of the engine'],
  'POST /api/queries/:id/cancel': ['cancelAnyQuery', 'Cancels a query of any client'],
};

export async function addOpenapi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.0.3',
      info: {
        title: 'Bigtrace over HTTP',
        description: "What Perfetto's BigTrace page asks of a backend.",
        version: VERSION,
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
      servers: [{ url: '/', description: 'this service' }],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'the token of --token-file' },
        },
      },
      // A service without --token-file needs none.
      security: [{ token: [] }, {}],
    },
    transform,
  });
}

const transform: SwaggerTransform = ({ schema, url, route }) => {
  const [operationId, summary] = OPERATIONS[`${String(route.method)} ${url}`] ?? [];
  return {
    schema: {
      ...schema,
      ...(operationId === undefined ? {} : { operationId }),
      ...(summary === undefined ? {} : { summary }),
    },
    // The router has no syntax for a parameter that ends at a colon, which the page's paths need; rewritten() of
    // server.ts maps them.
    url: url.replace(/^(\/query_executions\/:uuid)\/(?=\w)/, '$1:'),
  };
};
