/** What the console asks beside the routes of Perfetto's page: how the system is, why traces failed, an end to any query. */
import type { FastifyInstance } from 'fastify';
import { VERSION } from '../../lib/common/version.ts';
import { HttpError } from '../http-error.ts';
import type { Executor } from '../queries/executor.ts';
import { failureReasons } from '../queries/failure-reasons.ts';
import type { ConsoleState, SystemWatch } from '../system-watch.ts';
import { schemaOf } from './queries.ts';
import * as schemas from './schemas-console.ts';

export interface ConsoleOptions {
  /** Where the build puts the page. */
  directory: URL;
  system: SystemWatch;
  /** Superset, where there is one. */
  supersetUrl: string | undefined;
}

type ExecutorPart = Pick<Executor, 'find' | 'cancel'>;

const REASONS_MAX = 50;

/** @param clickhouseUrl as users reach it */
export function addConsoleRoutes(
  app: FastifyInstance,
  { system, supersetUrl }: ConsoleOptions,
  executor: ExecutorPart,
  clickhouseUrl: string,
): void {
  app.get(
    '/api/state',
    schemaOf(schemas.stateAnswer),
    async (): Promise<ConsoleState> => ({
      version: VERSION,
      clickhouseUrl,
      ...(supersetUrl === undefined ? {} : { supersetUrl }),
      ...system.state(),
    }),
  );
  app.get('/api/failures', schemaOf(schemas.failuresAnswer), async () => ({
    reasons: failureReasons(system.recentFailures(), REASONS_MAX),
  }));
  app.post<{ Params: { id: string } }>(
    '/api/queries/:id/cancel',
    schemaOf(schemas.cancelAnswer, { params: schemas.idParams, body: schemas.cancelBody }),
    async ({ params: { id } }) => {
      // At once: to ask the history first takes longer than many a query runs.
      const cancelled = system.cancel(id);
      if (await isOfBackend(executor, id)) await executor.cancel(id);
      else if (cancelled === 0) throw new HttpError(404, `query ${id} is not running`);
      return {};
    },
  );
}

/** Others are asked through ClickHouse or over gRPC. */
async function isOfBackend(executor: ExecutorPart, id: string): Promise<boolean> {
  try {
    await executor.find(id);
    return true;
  } catch (thrown) {
    if (thrown instanceof HttpError && thrown.status === 404) return false;
    throw thrown;
  }
}
