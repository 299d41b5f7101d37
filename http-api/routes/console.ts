/** Routes that only the console uses: state of the system, reasons for failed traces, cancel for any query. */
import type { FastifyInstance } from 'fastify';
import { VERSION } from '../../lib/common/version.ts';
import { signalOf } from '../caller.ts';
import * as contract from '../contract/console.ts';
import { Empty } from '../contract/page.ts';
import { failureReasons } from '../failures/failure-reasons.ts';
import { HttpError } from '../http-error.ts';
import type { Executor } from '../queries/executor.ts';
import type { SystemWatch } from '../watch.ts';
import { schemaOf, typed } from './api.ts';
import type { PerfettoUi } from './perfetto-ui.ts';

export interface ConsoleOptions {
  /** Directory with the built console files. */
  directory: URL;
  system: SystemWatch;
  /** URL of Superset; undefined if it is not deployed. */
  supersetUrl: string | undefined;
  /** URL of the Perfetto UI that traces are opened in, unless the served one can. */
  perfettoUi: string;
  /** The Perfetto UI that this service serves; undefined: none. */
  servedUi: PerfettoUi | undefined;
}

type ExecutorPart = Pick<Executor, 'find' | 'cancel'>;

const REASONS_MAX = 50;

/** @param clickhouseUrl as users reach it, for links */
export function addConsoleRoutes(
  app: FastifyInstance,
  { system, supersetUrl, perfettoUi, servedUi }: ConsoleOptions,
  executor: ExecutorPart,
  clickhouseUrl: string,
): void {
  const api = typed(app);
  api.get(
    '/api/state',
    schemaOf(contract.ConsoleState),
    async (): Promise<contract.ConsoleState> => ({
      version: VERSION,
      clickhouseUrl,
      ...(servedUi?.hasBigtracePage ? { bigtraceUi: 'bigtrace/' } : {}),
      ...(supersetUrl === undefined ? {} : { supersetUrl }),
      ...(await system.state()),
    }),
  );
  api.get(
    '/api/vocabulary',
    schemaOf(contract.Vocabulary, { querystring: contract.VocabularyQuery }),
    async ({ query: { engine = '' } }, reply) => system.vocabulary(engine, signalOf(reply)),
  );
  api.get('/api/opener', schemaOf(contract.Opener), async () => ({
    perfettoUi: servedUi?.hasTraceViewer ? 'perfetto/' : perfettoUi,
  }));
  api.get('/api/failures', schemaOf(contract.FailuresAnswer), async () => ({
    reasons: failureReasons(await system.recentFailures(), REASONS_MAX),
  }));
  api.post(
    '/api/queries/:id/cancel',
    schemaOf(Empty, { params: contract.ById, body: contract.CancelBody }),
    async ({ params: { id } }) => {
      // Cancel first: looking the query up in the history takes longer than many queries run.
      const cancelled = await system.cancel(id);
      if (await isOfBackend(executor, id)) await executor.cancel(id);
      else if (cancelled === 0) throw new HttpError(404, `query ${id} is not running`);
      return {};
    },
  );
}

/** Whether the query was sent over this HTTP API, and not through ClickHouse or gRPC. */
async function isOfBackend(executor: ExecutorPart, id: string): Promise<boolean> {
  try {
    await executor.find(id);
    return true;
  } catch (thrown) {
    if (thrown instanceof HttpError && thrown.status === 404) return false;
    throw thrown;
  }
}
