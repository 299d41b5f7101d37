/** Creates the parts of an orchestrator and starts them. */
import { withPort } from '../lib/common/network/host-port.ts';
import { Counters } from '../lib/common/observability/counters.ts';
import type { Logger } from '../lib/common/observability/log.ts';
import type { ProbedService, Probes } from '../lib/common/observability/probes.ts';
import { startServiceProbes } from '../lib/common/observability/service-probes.ts';
import { startTracing } from '../lib/common/observability/start-tracing.ts';
import { servicePassword } from '../lib/common/options/service-password.ts';
import type { OrchestratorConfig } from './config.ts';
import { COUNTERS, GAUGES } from './counters.ts';
import { PlacementMemory } from './dispatch/placement-memory.ts';
import { Mean } from './dispatch/steal.ts';
import { Fleet, type FleetOptions } from './fleet/fleet.ts';
import { OrchestratorServer } from './grpc/server.ts';
import { Peers } from './peers/peers.ts';
import { Catalog } from './query/catalog.ts';
import { FailureLog } from './query/failure-log.ts';
import { RunningQueries } from './query/running-queries.ts';
import { Users } from './query/users.ts';

export interface RunningOrchestrator {
  /** `host:port` of the gRPC server. */
  address: string;
  /** Port of the health and metrics endpoint; undefined when it is off. */
  metricsPort: number | undefined;
  /** Refuses new queries, waits up to `drainTimeoutMs` for the running ones, then stops. */
  drain(): Promise<void>;
  /** Stops at once; running queries are cancelled. */
  stop(): void;
}

/** @throws invalid_option when it cannot listen, or cannot read a file that the configuration names */
export async function startOrchestrator(
  config: OrchestratorConfig & Pick<FleetOptions, 'resolve'>,
  log: Logger,
): Promise<RunningOrchestrator> {
  const fleet = new Fleet(config, log);
  const context = {
    fleet,
    memory: new PlacementMemory(),
    coldMs: new Mean(),
    counters: new Counters(COUNTERS),
    failures: new FailureLog(),
    running: new RunningQueries(),
    peers: new Peers(config, log),
    users: new Users(config),
    tracing: await startTracing('orchestrator', config.serverSecurity.otlpEndpoint, log),
    catalog:
      config.clickhouseUrl === undefined
        ? undefined
        : new Catalog(config.clickhouseUrl, () => servicePassword(config.servicePasswordFile)),
    workerWaitMs: config.workerWaitMs,
    tracesInFlightMax: config.tracesInFlightMax,
    hedgeAfterMs: config.hedgeAfterMs,
  };
  const server = new OrchestratorServer(config, context, log);
  let probes: Probes | undefined;
  const stop = (): void => {
    probes?.close();
    server.close();
    fleet.close();
    context.peers.close();
    void context.catalog?.close();
  };
  let address: string;
  try {
    const port = await server.listen(config.socket);
    address = withPort(config.socket, port);
    context.peers.ownPort = port;
    await fleet.start();
    probes = await startServiceProbes(probedService(server), config.socket, config.serverSecurity);
  } catch (thrown) {
    stop(); // otherwise the listeners that did start would keep serving
    throw thrown;
  }
  return {
    address,
    metricsPort: probes?.port,
    stop,
    drain: async () => {
      log.info('draining');
      await server.drain(config.drainTimeoutMs);
      stop();
      await context.tracing?.close();
    },
  };
}

function probedService(server: OrchestratorServer): ProbedService {
  return {
    name: 'orchestrator',
    isReady: () => !server.draining,
    measure: () => server.measure(),
    help: { ...COUNTERS, ...GAUGES },
  };
}
