/** Puts a worker together and starts it. */
import { createLogger, type Logger } from '../common/log.ts';
import { loadEngine } from '../trace-processor/index.ts';
import { createTraceStores } from '../trace-store/index.ts';
import type { WorkerConfig } from './config.ts';
import { Counters } from './counters.ts';
import { FairPermits } from './fair-permits.ts';
import { WorkerServer } from './server.ts';
import { SlotPool } from './slot-pool.ts';

export interface RunningWorker {
  /** host:port it listens on. */
  address: string;
  /** Takes no new work, finishes what was begun for as long as the configuration says, and stops. */
  drain(): Promise<void>;
  /** Stops at once; whoever still waits for an answer loses it. */
  stop(): Promise<void>;
}

/** @throws BigtraceError invalid_option, where the configuration cannot be. */
export async function startWorker(
  config: WorkerConfig,
  logger: Logger = createLogger('worker', config.logLevel),
): Promise<RunningWorker> {
  const engine = await loadEngine(config.engineFile);
  const stores = createTraceStores(config.stores);
  const counters = new Counters();
  const { threadEntry, memoryBytesMax } = config;
  const pool = new SlotPool({ engine, threadEntry, memoryBytesMax, counters });
  const server = new WorkerServer({
    stores,
    pool,
    permits: new FairPermits(config.threads),
    counters,
    engine,
    engineDigest: engine.digest,
    limits: config.limits,
    logger,
  });
  const port = await server.listen(config.listen);
  const stop = async (): Promise<void> => {
    server.close();
    await pool.close();
    stores.close();
  };
  return {
    address: `${config.listen.slice(0, config.listen.lastIndexOf(':'))}:${port}`,
    stop,
    drain: async () => {
      logger.info('draining');
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, config.drainMs);
      });
      await Promise.race([server.drain(), late]);
      clearTimeout(timer);
      await stop();
    },
  };
}
