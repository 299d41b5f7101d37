/** The HTTP backend of Perfetto's BigTrace page, over ClickHouse. */

import type { Logger } from '../lib/common/observability/log.ts';
import type { ServerSecurity } from '../lib/common/options/server-security-options.ts';
import { Database } from './queries/database.ts';
import { Executor } from './queries/executor.ts';
import { Experiments } from './queries/experiments.ts';
import { loadPresets } from './queries/presets.ts';
import type { ConsoleOptions } from './routes/console.ts';
import { createServer, listen } from './server.ts';
import { Traces } from './sql/traces.ts';
import type { QueryWatch } from './watch.ts';

export type { ConsoleOptions } from './routes/console.ts';
export type { ConsoleTrace } from './system-watch.ts';
export type { OpenTrace, QueryCounts, QueryWatch } from './watch.ts';

export interface BackendOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  corsOrigins: readonly string[];
  edge: ServerSecurity;
  /** YAML file of further presets. */
  presetsFile: string | undefined;
  /** ClickHouse's HTTP interface. */
  clickhouseUrl: string;
  /** Of ClickHouse's users bigtrace_backend and bigtrace_catalog. */
  password: string;
  /** Which orchestrator this is, the same after a restart. */
  owner: string;
  /** Undefined: there is none. */
  console?: ConsoleOptions | undefined;
}

export interface RunningBackend {
  /** `http://host:port` */
  url: string;
  /** Ends connections and queries at once. */
  close(): Promise<void>;
}

/** ClickHouse need not be there yet. @throws invalid_option */
export async function startBackend(
  options: BackendOptions,
  watch: QueryWatch,
  log: Logger,
): Promise<RunningBackend> {
  const { clickhouseUrl, owner, corsOrigins, edge } = options;
  const presets = loadPresets(options.presetsFile);
  const database = new Database(clickhouseUrl, options.password);
  const catalog = new Database(clickhouseUrl, options.password, 'bigtrace_catalog');
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
    await database.close();
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
