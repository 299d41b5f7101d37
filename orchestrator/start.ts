/** Puts an orchestrator together and starts it. */
import { createLogger, type Logger } from '../common/log.ts';
import type { OrchestratorConfig } from './config.ts';
import { newCounters } from './counters.ts';
import { Fleet } from './fleet.ts';
import { PlacementMemory } from './placement-memory.ts';
import { OrchestratorServer } from './server.ts';
import { Mean } from './steal.ts';

export interface RunningOrchestrator {
  /** host:port it listens on. */
  address: string;
  /** Takes no new queries, lets those that run go on for a while, then stops. */
  drain(): Promise<void>;
  /** Stops at once. */
  stop(): void;
}

/** @throws invalid_option when it cannot listen */
export async function startOrchestrator(
  config: OrchestratorConfig,
  log: Logger = createLogger('orchestrator', config.logLevel),
): Promise<RunningOrchestrator> {
  const fleet = new Fleet(config, log);
  const ground = {
    fleet,
    memory: new PlacementMemory(),
    coldMs: new Mean(),
    counters: newCounters(),
    workerWaitMs: config.workerWaitMs,
    tracesInFlightMax: config.tracesInFlightMax,
  };
  const server = new OrchestratorServer(config, ground, log);
  const port = await server.listen(config.socket);
  await fleet.start();
  const stop = (): void => {
    server.close();
    fleet.close();
  };
  return {
    address: `${config.socket.slice(0, config.socket.lastIndexOf(':'))}:${port}`,
    stop,
    drain: async () => {
      log.info('draining');
      await server.drain(config.drainTimeoutMs);
      stop();
    },
  };
}
