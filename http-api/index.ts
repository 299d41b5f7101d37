/** The HTTP backend for Perfetto's BigTrace page and for the console. It sends its queries to ClickHouse. */

import type { Logger } from '../lib/common/observability/log.ts';
import type { ServerSecurity } from '../lib/common/options/server-security-options.ts';
import { BACKEND_USER, CATALOG_USER, openDatabase } from './queries/database.ts';
import { Executor } from './queries/executor.ts';
import { Experiments } from './queries/experiments.ts';
import { loadPresets } from './queries/presets.ts';
import type { ConsoleOptions } from './routes/console.ts';
import { createServer, listen } from './server.ts';
import { Traces } from './sql/traces.ts';
import type { QueryWatch } from './watch.ts';

export type { ConsoleTrace } from './contract/console.ts';
export type { ConsoleOptions } from './routes/console.ts';
export type { OpenTrace, QueryCounts, QueryWatch } from './watch.ts';

export interface BackendOptions {
  host: string;
  /** 0 picks a free port. */
  port: number;
  corsOrigins: readonly string[];
  edge: ServerSecurity;
  /** Path of a YAML file with additional presets; undefined for none. */
  presetsFile: string | undefined;
  /** URL of ClickHouse's HTTP interface. */
  clickhouseUrl: string;
  /** Password of the ClickHouse users bigtrace_backend and bigtrace_catalog. */
  password: string;
  /** Identifies this orchestrator in the query history; it must be the same after a restart. */
  owner: string;
  /** Undefined: the console is not served. */
  console?: ConsoleOptions | undefined;
}

export interface RunningBackend {
  /** `http://host:port` */
  url: string;
  /** Closes all connections and ends running queries without waiting for them. */
  close(): Promise<void>;
}

/**
 * Starts the HTTP backend. ClickHouse may start later.
 * @throws invalid_option if the presets cannot be read, or the port cannot be bound
 */
export async function startBackend(
  options: BackendOptions,
  watch: QueryWatch,
  log: Logger,
): Promise<RunningBackend> {
  const { clickhouseUrl, owner, corsOrigins, edge } = options;
  const presets = loadPresets(options.presetsFile);
  const { clickhouseUrl: url, password } = options;
  const database = openDatabase({ url, username: BACKEND_USER, password });
  const catalog = openDatabase({ url, username: CATALOG_USER, password });
  const traces = new Traces(database, catalog);
  const executor = new Executor({ database, traces, watch, owner, log });
  const experiments = new Experiments(database, traces);
  const app = await createServer({
    console: options.console,
    ...{ watch, traces, experiments, executor, presets, corsOrigins, edge, clickhouseUrl, log },
  });
  const close = async (): Promise<void> => {
    await executor.close();
    await app.close();
    await Promise.all([database.close(), catalog.close()]);
  };
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  try {
    const port = await listen(app, options.host, options.port);
    return { url: `${edge.tls === undefined ? 'http' : 'https'}://${host}:${port}`, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
