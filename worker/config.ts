/** Defines a worker's configuration and its defaults; times in milliseconds, sizes in bytes. */
import { existsSync } from 'node:fs';
import { BigtraceError } from '../lib/common/errors.ts';
import type { Machine } from '../lib/common/machine.ts';
import type { LogLevel } from '../lib/common/observability/log.ts';
import type { ServerSecurity } from '../lib/common/options/server-security-options.ts';
import type { EngineFiles } from '../lib/engine/engine-choice.ts';
import {
  hasMemory64,
  type RuntimeChoice,
  WASM32_BYTES_MAX,
  WASM64_BYTES_MAX,
} from '../lib/engine/index.ts';
import type { StoreOptions } from '../lib/trace-store/index.ts';
import type { SharedSnapshotOptions } from './cache/shared/open-shared-store.ts';
import type { LoadBound } from './engines/load-watch.ts';
import type { TaskLimits } from './tasks/limits.ts';

export interface WorkerConfig {
  /** host:port; port 0 picks a free one. */
  listen: string;
  /** TLS, tokens, metrics and tracing of the server. */
  serverSecurity: ServerSecurity;
  stores: StoreOptions;
  /**
   * Maximum number of rows tasks on engine threads, without those that exceed `longTaskMs`. Column finding
   * has half as many more.
   */
  threads: number;
  /** Maximum number of tasks beside `threads` that run while others exceed `longTaskMs`; for each thread class. */
  spareThreads: number;
  /** A task that holds its thread for longer no longer counts against `threads`. */
  longTaskMs: number;
  /** Time limit for loading a trace, by its size. */
  loadBound: LoadBound;
  /** Maximum memory of all engines together. */
  memoryBytesMax: number;
  /** Maximum size of the result cache in memory. */
  resultMemoryBytesMax: number;
  /** Directory for snapshots of loaded traces; without one, the worker writes none. */
  cacheDir: string | undefined;
  /** Snapshot directories of other workers; only read. */
  readCacheDirs: string[];
  /** Maximum size of all files in `cacheDir`. */
  cacheBytesMax: number;
  /** Maximum size of the uncompressed snapshots in `cacheDir`; 0: none are kept. */
  uncompressedBytesMax: number;
  /** Where the workers of the fleet share snapshots; undefined: nowhere. */
  sharedSnapshots: SharedSnapshotOptions | undefined;
  /** Directory for the result cache; without one, it is in memory only. */
  resultCacheDir: string | undefined;
  /** Result cache directories of other workers; only read. */
  readResultCacheDirs: string[];
  /** Maximum size of all files in `resultCacheDir`. */
  resultCacheBytesMax: number;
  limits: TaskLimits;
  engine: EngineFiles;
  /** What executes the engine. */
  runtime: RuntimeChoice;
  /** SQL packages that scripts may include, each as `name=directory`. */
  sqlPackages: string[];
  /** URL of the bundle of worker/engines/thread.ts. */
  threadEntry: URL;
  /** URL of the bundle of lib/trace-store/local/file-thread.ts. */
  fileThreadEntry: URL;
  /** `namespace/name` of the pod that the worker runs in, whose deletion cost it sets; undefined: none. */
  kubernetesPod: string | undefined;
  /** Time allowed for running tasks to finish after SIGTERM. */
  drainMs: number;
  logLevel: LogLevel;
  /** Whether the ready line is printed as JSON. */
  json: boolean;
}

/** Memory for each engine that defaultThreads() provides for; less is too little for ordinary traces. */
const INSTANCE_BYTES_WANTED = 512 * 2 ** 20;
/** Minimum memory of an engine; less does not hold the engine and a small trace. */
export const INSTANCE_BYTES_MIN = 64 * 2 ** 20;

export const LIMIT_DEFAULTS: TaskLimits = {
  traceTimeoutMs: 10 * 60_000,
  traceBytesMax: 4 * 2 ** 30,
  memoryBytesMax: WASM32_BYTES_MAX,
  resultRowsMax: 2 ** 31,
  resultBytesMax: 4 * 2 ** 30,
};

/** Half of the memory that this process may use; the rest is for cached results, threads and the process itself. */
export function defaultMemoryBytes({ memoryBytes }: Machine): number {
  return Math.floor(memoryBytes / 2);
}

/**
 * The default memory of one engine: its share, so that all threads together stay within `memoryBytesMax`.
 * @throws invalid_option if the share is less than INSTANCE_BYTES_MIN
 */
export function defaultInstanceBytes(
  memoryBytesMax: number,
  threads: number,
  { wasm64 }: Pick<EngineFiles, 'wasm64'>,
): number {
  const share = Math.floor(memoryBytesMax / threads);
  if (share < INSTANCE_BYTES_MIN)
    throw new BigtraceError(
      'invalid_option',
      `${memoryBytesMax} bytes (--memory-bytes) are ${share} for each of ${threads} threads (--threads), but an ` +
        `engine needs at least ${INSTANCE_BYTES_MIN}: raise --memory-bytes, or lower --threads`,
    );
  return Math.min(share, instanceBytesMax(wasm64));
}

/** The most memory that an engine can have: 4 GiB, or with 64-bit memory, where Node has it, 16 GiB. */
export function instanceBytesMax(wasm64: string | undefined): number {
  return wasm64 === undefined || !hasMemory64() ? WASM32_BYTES_MAX : WASM64_BYTES_MAX;
}

/** A sixteenth of the memory for loaded traces; the result cache is not part of that memory. */
export function defaultResultMemoryBytes(memoryBytesMax: number): number {
  return Math.floor(memoryBytesMax / 16);
}

/** One for other queries of a user whose tasks run long, and one for other users. */
export const SPARE_THREADS_MIN = 2;

/** Most tasks take milliseconds; a trace that takes longer than this to load is large, or damaged. */
export const LONG_TASK_MS_DEFAULT = 2000;

export const CACHE_BYTES_DEFAULT = 20 * 2 ** 30;
export const SHARED_BYTES_DEFAULT = 100 * 2 ** 30;
export const RESULT_CACHE_BYTES_DEFAULT = 2 ** 30;

/** One thread per core, as long as there are INSTANCE_BYTES_WANTED of memory for each; at least one. */
export function defaultThreads(memoryBytesMax: number, cores: number): number {
  const enough = Math.floor(memoryBytesMax / INSTANCE_BYTES_WANTED);
  return Math.max(1, Math.min(cores, enough));
}

/** Checks that the engine file exists, and that shared snapshots have a directory. @throws invalid_option */
export function checkConfig(config: WorkerConfig): WorkerConfig {
  if (!existsSync(config.engine.wasm))
    throw new BigtraceError(
      'invalid_option',
      `there is no TraceProcessor wasm at ${config.engine.wasm} (--engine, --trace-processor-wasm)`,
    );
  if (config.sharedSnapshots !== undefined && config.cacheDir === undefined)
    throw new BigtraceError(
      'invalid_option',
      `--shared-snapshots is ${config.sharedSnapshots.place}, but there is no --cache-dir; shared snapshots are fetched into it`,
    );
  return config;
}
