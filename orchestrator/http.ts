/** Starts the HTTP backend inside the orchestrator and gives it access to the queries that run here. */
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

/** Maximum bytes of each query's SQL in the state that the console polls. */
const SQL_BYTES_SHOWN = 4000;

export interface HttpConfig {
  host: string;
  /** 0 picks a free port. */
  port: number;
  corsOrigins: string[];
  /** YAML file with additional presets. */
  presetsFile: string | undefined;
  /** URL of Superset that the console links to. */
  supersetUrl?: string | undefined;
}

export interface HttpContext {
  edge: ServerSecurity;
  ground: QueryContext;
  clickhouseUrl: string;
  /** Password of the ClickHouse users that services log in as. */
  password: string;
  /** Identifies this orchestrator: `host:port` of its gRPC server. */
  owner: string;
  log: Logger;
}

/** @throws invalid_option when it cannot listen or the presets file cannot be read */
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
      // A trace that failed in column finding fails in the query again; report it once.
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
