/** Assembles a worker from its parts and starts it. */
import { setFlagsFromString } from 'node:v8';
import { withPort } from '../lib/common/network/host-port.ts';
import { Counters } from '../lib/common/observability/counters.ts';
import { createLogger, type Logger } from '../lib/common/observability/log.ts';
import type { ProbedService, Probes } from '../lib/common/observability/probes.ts';
import { startServiceProbes } from '../lib/common/observability/service-probes.ts';
import { startTracing } from '../lib/common/observability/start-tracing.ts';
import {
  type Engine,
  hasImage,
  imageKey,
  loadEngine,
  readSqlPackages,
  WideEngine,
} from '../lib/engine/index.ts';
import { createTraceStores, type TraceStores } from '../lib/trace-store/index.ts';
import { cacheId } from './cache/cache-id.ts';
import { ResultDiskCache } from './cache/result-disk.ts';
import { ResultMemoryCache } from './cache/result-memory.ts';
import { openSharedStore } from './cache/shared/open-shared-store.ts';
import { SharedSnapshots } from './cache/shared/shared-snapshots.ts';
import { isWrongSnapshot, SnapshotCache } from './cache/snapshot-cache.ts';
import { SnapshotWriter } from './cache/snapshot-writer.ts';
import { UncompressedSnapshots } from './cache/uncompressed-snapshots.ts';
import type { WorkerConfig } from './config.ts';
import { COUNTERS, type WorkerCounters } from './counters.ts';
import { BarredTraces } from './engines/barred-traces.ts';
import { EnginePool } from './engines/engine-pool.ts';
import { EngineThread } from './engines/engine-thread.ts';
import { ExpectedMemory } from './engines/expected-memory.ts';
import { WorkerServer } from './grpc/server.ts';
import { reportDeletionCost } from './pod/deletion-cost.ts';
import { IN_POD, PodAnnotation } from './pod/pod-annotation.ts';
import { Admission } from './scheduling/admission.ts';
import { ThreadPermits } from './scheduling/thread-permits.ts';
import { STORE_COUNTS } from './store-counts.ts';
import { INFERENCE_THREADS, PossibleKinds } from './tasks/possible-kinds.ts';
import { loadInThread } from './tasks/spare-thread.ts';
import { Vocabulary } from './tasks/vocabulary.ts';

/**
 * Amount of WebAssembly code that a function executes before V8 optimizes it, in V8's units. With the default
 * of Node 20 (1.8 million), a third of the processor time for the first traces is spent on optimizing, mostly
 * of functions that hardly run again. With this value, all that matters to a trace of 20 MB is still
 * optimized, and twelve traces of 1-20 MB took an eighth less processor time.
 */
const WASM_TIERING_BUDGET = 60_000_000;
/** Engine threads without a trace that an idle worker keeps ready, for each of `threads`; at least one for each. */
const SPARE_ENGINES_PER_THREAD = 2;
/** Maximum number of such engine threads, unless `threads` is larger. */
const SPARE_ENGINES_MAX = 8;

export interface RunningWorker {
  /** The `host:port` that the worker listens on. */
  address: string;
  /** Port of the metrics and probes; undefined without --metrics-port. */
  metricsPort: number | undefined;
  /** Refuses new tasks, lets running ones finish for at most `drainMs`, and stops. */
  drain(): Promise<void>;
  /** Stops at once; running tasks are lost. */
  stop(): Promise<void>;
}

/**
 * @param load loads the engine
 * @throws BigtraceError invalid_option if the configuration cannot be used, such as an address that is taken
 */
export async function startWorker(
  config: WorkerConfig,
  logger: Logger = createLogger('worker', config.logLevel),
  load = loadEngine,
): Promise<RunningWorker> {
  const { server, pool, tracing, close } = await createServer(config, logger, load);
  let probes: Probes | undefined;
  let stopReports = (): void => undefined;
  const stop = async (): Promise<void> => {
    stopReports();
    probes?.close();
    await close();
  };
  let port: number;
  try {
    port = await server.listen(config.listen);
    probes = await startServiceProbes(probedService(server), config.listen, config.serverSecurity);
    stopReports = startReports(server, config, logger);
  } catch (thrown) {
    await stop(); // otherwise the listener that did start would keep serving
    throw thrown;
  }
  pool.warm(config.threads);
  return {
    address: withPort(config.listen, port),
    metricsPort: probes?.port,
    stop,
    drain: async () => {
      logger.info('draining');
      await drainWithin(server, config.drainMs);
      await stop();
      await tracing?.close();
    },
  };
}

interface WorkerParts {
  server: WorkerServer;
  pool: EnginePool;
  tracing: Awaited<ReturnType<typeof startTracing>>;
  /** Closes the server, and ends what runs. */
  close(): Promise<void>;
}

/** Creates the parts of a worker, in the order in which they need each other; nothing listens yet. */
async function createServer(
  config: WorkerConfig,
  logger: Logger,
  load: typeof loadEngine,
): Promise<WorkerParts> {
  setFlagsFromString(`--wasm-tiering-budget=${WASM_TIERING_BUDGET}`);
  const packages = readSqlPackages(config.sqlPackages);
  const engine = await load(config.engine.wasm, packages, {
    ...config.runtime,
    onFallback: (reason) => logger.info({ reason }, 'V8 executes the engine'),
  });
  const wide = WideEngine.of(config.engine.wasm64, engine, (file) =>
    loadInThread({ engine, threadEntry: config.threadEntry }, file, packages),
  );
  const tracing = await startTracing('worker', config.serverSecurity.otlpEndpoint, logger);
  const stores = createTraceStores(
    config.stores,
    config.limits.traceBytesMax,
    config.fileThreadEntry,
  );
  const counters = new Counters(COUNTERS);
  const { threadEntry, memoryBytesMax, threads, limits, loadBound } = config;
  const admission = new Admission({
    ...{ stores, threads, memoryBytesMax, spareThreads: config.spareThreads },
    longMs: config.longTaskMs,
    hasRoom: () => pool.hasRoom,
  });
  const isBusy = (): boolean => !admission.idle;
  const caches = await openCaches(config, { isBusy, stores, counters, logger }, engine);
  const { snapshots, shared, resultDisk, barred } = caches;
  const snapshotWriter = new SnapshotWriter(snapshots, admission);
  const spareEngines = spareEnginesFor(threads);
  const startEngineThread = (onGrowth: () => void): EngineThread =>
    new EngineThread(engine, threadEntry, onGrowth);
  const pool = new EnginePool({
    ...{ startEngineThread, initialBytes: engine.initial.memoryBytes },
    ...{ memoryBytesMax, threads, spareEngines, counters, snapshotSink: snapshotWriter },
    isShared: (key) => hasImage(engine.code, imageKey(key)),
  });
  snapshotWriter.watch(pool);
  const server = new WorkerServer({
    stores,
    pool,
    results: new ResultMemoryCache(config.resultMemoryBytesMax),
    ...caches,
    snapshotWriter,
    admission,
    loadBound,
    counters,
    possibleKinds: new PossibleKinds({
      ...{ engine, threadEntry },
      threads: new ThreadPermits({ ...INFERENCE_THREADS, hasRoom: () => pool.hasRoom }),
    }),
    vocabulary: new Vocabulary({ engine, threadEntry }),
    ...{ engine, wide },
    serverSecurity: config.serverSecurity,
    tracing,
    ...{ engineIdentity: engine.identity, engineVersion: engine.version },
    engineName: config.engine.name,
    expectedMemory: new ExpectedMemory(),
    packages: engine.packages,
    cacheId: await cacheId(config.cacheDir ?? config.resultCacheDir),
    limits,
    logger,
  });
  const close = async (): Promise<void> => {
    snapshotWriter.stop();
    shared?.close();
    server.close();
    await pool.close();
    await Promise.all([resultDisk.close(), barred.close()]);
    stores.close();
  };
  return { server, pool, tracing, close };
}

function spareEnginesFor(threads: number): number {
  return Math.max(threads, Math.min(SPARE_ENGINES_PER_THREAD * threads, SPARE_ENGINES_MAX));
}

/** Drains the server. Resolves when it has drained, or after `ms`. */
async function drainWithin(server: WorkerServer, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([server.drain(), late]);
  clearTimeout(timer);
}

interface Caches {
  snapshots: SnapshotCache;
  shared: SharedSnapshots | undefined;
  resultDisk: ResultDiskCache;
  barred: BarredTraces;
}

interface HostEnvironment {
  /** Returns whether a task runs or waits for a thread. */
  isBusy: () => boolean;
  stores: TraceStores;
  counters: WorkerCounters;
  logger: Logger;
}

/** Opens the caches on disk, with what earlier workers left there. */
async function openCaches(
  config: WorkerConfig,
  { isBusy, stores, counters, logger }: HostEnvironment,
  engine: Engine,
): Promise<Caches> {
  const shared = openSharedSnapshots(config, { stores, counters, logger });
  const uncompressed = await UncompressedSnapshots.open({
    ...{ directory: config.cacheDir, bytesMax: config.uncompressedBytesMax },
    ...{ isWrong: isWrongSnapshot, engine, counters, logger },
  });
  const snapshots = await SnapshotCache.open({
    directory: config.cacheDir,
    neighbours: config.readCacheDirs,
    bytesMax: config.cacheBytesMax,
    ...{ shared, uncompressed, counters, logger },
  });
  const resultDisk = await ResultDiskCache.open({
    directory: config.resultCacheDir,
    neighbours: config.readResultCacheDirs,
    bytesMax: config.resultCacheBytesMax,
    isBusy,
    counters,
    logger,
  });
  const barred = await BarredTraces.open({
    ...{ directory: config.resultCacheDir, loadBound: config.loadBound, counters, logger },
    memoryBytesMax: config.limits.memoryBytesMax,
  });
  return { snapshots, shared, resultDisk, barred };
}

function openSharedSnapshots(
  { sharedSnapshots: options, stores: storeOptions }: WorkerConfig,
  { stores, ...environment }: Omit<HostEnvironment, 'isBusy'>,
): SharedSnapshots | undefined {
  if (options === undefined) return undefined;
  const store = openSharedStore(options, stores, storeOptions);
  return new SharedSnapshots({ store, writes: options.writes, ...environment });
}

/** Begins to tell Kubernetes what the caches are worth. @returns a function that ends it */
function startReports(
  server: WorkerServer,
  { kubernetesPod: pod }: WorkerConfig,
  logger: Logger,
): () => void {
  if (pod === undefined) return () => undefined;
  const annotation = new PodAnnotation({ pod, ...IN_POD });
  const stop = reportDeletionCost({
    ...{ gauges: () => server.measure().gauges, logger },
    annotate: (name, value) => annotation.set(name, value),
  });
  return () => {
    stop();
    annotation.close();
  };
}

function probedService(server: WorkerServer): ProbedService {
  return {
    name: 'worker',
    isReady: () => !server.draining,
    measure: () => server.measure(),
    help: { ...COUNTERS, ...STORE_COUNTS },
  };
}
