/** Creates the parts of the HTTP API and starts them. */
import type { ClickHouse } from '../lib/clickhouse/client.ts';
import { hostOf, portOf, withPort } from '../lib/common/network/host-port.ts';
import { SecretFile } from '../lib/common/network/secret-file.ts';
import type { Logger } from '../lib/common/observability/log.ts';
import type { ProbedService, Probes } from '../lib/common/observability/probes.ts';
import { startServiceProbes } from '../lib/common/observability/service-probes.ts';
import { servicePassword } from '../lib/common/options/service-password.ts';
import { ROOT_URL } from '../lib/common/root.ts';
import { baseReader, proxyCheck } from './base.ts';
import type { HttpApiConfig } from './config.ts';
import { COUNTERS, type Counts, GAUGES } from './counters.ts';
import { Logins } from './login/logins.ts';
import { Orchestrators } from './orchestrators.ts';
import { BACKEND_USER, openCatalog, openDatabase } from './queries/database.ts';
import { Executor } from './queries/executor.ts';
import { Experiments } from './queries/experiments.ts';
import { loadPresets } from './queries/presets.ts';
import { perfettoUiIn } from './routes/perfetto-ui.ts';
import { createServer, listen } from './server.ts';
import { Traces } from './sql/traces.ts';

const CONSOLE = new URL('dist/console/', ROOT_URL);

export interface RunningHttpApi {
  /** `host:port` */
  address: string;
  /** `http://host:port` or `https://host:port` */
  url: string;
  /** Port of the health and metrics endpoint; undefined when it is off. */
  metricsPort: number | undefined;
  /** Refuses new queries, waits up to `drainTimeoutMs` for the running ones, then closes. */
  drain(): Promise<void>;
  /** Closes all connections, and cancels the queries whose clients wait. The others run on in ClickHouse. */
  close(): Promise<void>;
}

/**
 * Starts the service. ClickHouse and the orchestrators may start later.
 * @throws invalid_option if the presets or credentials cannot be read, or a port cannot be bound
 */
export async function startHttpApi(config: HttpApiConfig, log: Logger): Promise<RunningHttpApi> {
  const { clickhouseUrl, corsOrigins, serverSecurity, socket, supersetUrl } = config;
  const presets = loadPresets(config.presetsFile);
  const password = (): string => servicePassword(config.servicePasswordFile);
  const watch = new Orchestrators(config.orchestrators, config.orchestratorCredentials, log);
  const url = clickhouseUrl;
  const database = openDatabase({ url, username: BACKEND_USER, password });
  const catalog = openCatalog(url, password);
  const traces = new Traces(database, catalog);
  const counts: Counts = { requests: 0, requests_failed: 0, queries: 0 };
  const executor = new Executor({
    database,
    traces,
    watch,
    log,
    counts,
    ...{ tableLifeMs: config.tableLifeMs },
  });
  const experiments = new Experiments(database, traces);
  const isProxy = proxyCheck(config.trustedProxies);
  const servedUi = config.bigtraceUi === undefined ? undefined : perfettoUiIn(config.bigtraceUi);
  const { perfettoUi } = config;
  const console = { directory: CONSOLE, supersetUrl, perfettoUi, servedUi, system: watch };
  const app = await createServer({
    ...{ console, watch, traces, experiments, executor, presets, serverSecurity },
    corsOrigins: [...corsOrigins, ...originOf(config.publicUrl)],
    ...{ clickhouseUrl, log, counts, defaultTraces: config.defaultTraces, isProxy },
    baseOf: baseReader(config.publicUrl, isProxy),
    trustedUserHeader: config.trustedUserHeader,
    logins: loginsOf(config, database),
  });
  let probes: Probes | undefined;
  const close = async (): Promise<void> => {
    probes?.close();
    await executor.close();
    await app.close();
    watch.close();
    await Promise.all([database.close(), catalog.close()]);
  };
  let address: string;
  try {
    const port = await listen(app, hostOf(socket), portOf(socket));
    address = withPort(socket, port);
    probes = await startServiceProbes(probedService(executor, counts), socket, serverSecurity);
  } catch (thrown) {
    await close(); // otherwise the listener that did start would keep serving
    throw thrown;
  }
  return {
    address,
    url: `${serverSecurity.tls === undefined ? 'http' : 'https'}://${address}`,
    metricsPort: probes?.port,
    close,
    drain: async () => {
      log.info('draining');
      await executor.drain(config.drainTimeoutMs);
      await close();
    },
  };
}

/** @throws invalid_option if the token file cannot be read */
function loginsOf(
  { serverSecurity: { tokenFile }, loginLifeMs }: HttpApiConfig,
  database: ClickHouse,
): Logins | undefined {
  if (tokenFile === undefined) return undefined;
  const token = new SecretFile(tokenFile);
  return new Logins({ database, token: () => token.first, lifeMs: loginLifeMs });
}

/** Pages of the public URL are the service's own. */
function originOf(url: string | undefined): string[] {
  return url === undefined ? [] : [new URL(url).origin];
}

function probedService(executor: Executor, counters: Counts): ProbedService {
  return {
    name: 'http_api',
    isReady: () => !executor.draining,
    measure: () => ({ counters, gauges: { queries_running: executor.running } }),
    help: { ...COUNTERS, ...GAUGES },
  };
}
