/** The HTTP backend as a part of the orchestrator: what it is told of the queries that run here. */
import {
  type ConsoleOptions,
  type ConsoleTrace,
  type RunningBackend,
  startBackend,
} from '../http-api/index.ts';
import type { Logger } from '../lib/common/observability/log.ts';
import type { ServerSecurity } from '../lib/common/options/server-security-options.ts';
import { ROOT_URL } from '../lib/common/root.ts';
import { printable, textFromBytes } from '../lib/common/text/byte-text.ts';
import type { RunningTrace } from '../lib/proto/messages.ts';
import { openTrace } from './fleet/read-trace.ts';
import type { QueryContext } from './query/execute.ts';

const CONSOLE = new URL('dist/console/', ROOT_URL);

/** Of each query, in an answer that is asked for every second. */
const SQL_BYTES_SHOWN = 4000;

export interface HttpConfig {
  host: string;
  /** 0 picks a free one. */
  port: number;
  corsOrigins: string[];
  /** YAML file of further presets. */
  presetsFile: string | undefined;
  /** Where the console leads those who want Superset. */
  supersetUrl?: string | undefined;
}

export interface HttpContext {
  edge: ServerSecurity;
  ground: QueryContext;
  clickhouseUrl: string;
  /** Of the users that services log in to ClickHouse as. */
  password: string;
  /** Which orchestrator this is: host:port of its gRPC. */
  owner: string;
  log: Logger;
}

/** @throws invalid_option when it cannot listen */
export function startHttp(
  config: HttpConfig,
  { ground, edge, clickhouseUrl, password, owner, log }: HttpContext,
): Promise<RunningBackend> {
  const { running, failures, fleet, workerWaitMs } = ground;
  const watch = {
    counts: (queryId: string) => running.progressOf(queryId),
    failures: (queryId: string, limit: number) => {
      const texts = [...failures.read(queryId, 0)].map(({ trace, message }) =>
        trace.length === 0 ? message : `[${textFromBytes(trace)}]: ${message}`,
      );
      // What failed in the search for columns has failed in the query again.
      return [...new Set(texts)].slice(0, limit);
    },
    cancel: (queryId: string) => void running.cancel(queryId),
    openTrace: (address: string, signal: AbortSignal) =>
      openTrace(address, { fleet, workerWaitMs, signal }),
  };
  const console = consoleOver(ground, config.supersetUrl);
  return startBackend({ ...config, console, edge, clickhouseUrl, password, owner }, watch, log);
}

function seenOf({ trace, phase, phaseMs, totalMs, worker = '' }: RunningTrace): ConsoleTrace {
  return { trace: printable(textFromBytes(trace)), phase, phaseMs, totalMs, worker };
}

function consoleOver(
  { fleet, counters, failures, running }: QueryContext,
  supersetUrl: string | undefined,
): ConsoleOptions {
  return {
    directory: CONSOLE,
    supersetUrl,
    system: {
      state: () => {
        const { waiting: tracesWaiting, inFlight: tracesInFlight } = running.load();
        const queries = running.questions().map(({ mode, progress, ...one }) => ({
          ...one,
          progress: progress && { ...progress, running: (progress.running ?? []).map(seenOf) },
          findsColumns: mode === 'TYPES',
          sql: textFromBytes(one.sql.subarray(0, SQL_BYTES_SHOWN)),
        }));
        const workers = fleet.states();
        return { tracesWaiting, tracesInFlight, counters: counters.all(), workers, queries };
      },
      recentFailures: () =>
        [...failures.read('', 0)].map((one) => ({ ...one, trace: textFromBytes(one.trace) })),
      cancel: (queryId) => running.cancel(queryId),
    },
  };
}
