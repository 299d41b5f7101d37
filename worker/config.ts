/** A worker's configuration: complete and checked. */
import { existsSync } from 'node:fs';
import { BigtraceError } from '../lib/common/errors.ts';
import type { Machine } from '../lib/common/machine.ts';
import type { LogLevel } from '../lib/common/observability/log.ts';
import type { ServerSecurity } from '../lib/common/options/server-security-options.ts';
import type { StoreOptions } from '../lib/trace-store/index.ts';
import type { LoadBound } from './engines/load-watch.ts';
import type { TaskLimits } from './tasks/limits.ts';

export interface WorkerConfig {
  /** host:port; port 0 picks a free one. */
  listen: string;
  edge: ServerSecurity;
  stores: StoreOptions;
  /** Traces that are parsed or asked at once. */
  threads: number;
  /** So many more, beside those that run long. */
  spareThreads: number;
  /** A trace that has been worked on for longer runs long. */
  longTaskMs: number;
  /** How long a trace may take to load. */
  loadBound: LoadBound;
  /** Bound of all loaded traces together. */
  memoryBytesMax: number;
  /** Bound of the answers remembered. */
  resultMemoryBytesMax: number;
  /** Directory for snapshots of loaded traces; without one, the worker writes none. */
  cacheDir: string | undefined;
  /** Such directories of other workers, to read from. */
  readCacheDirs: string[];
  /** Bound of the images. */
  cacheBytesMax: number;
  /** Directory for the result cache; without one, it is in memory only. */
  resultCacheDir: string | undefined;
  /** Directories of answers of other workers, to read from. */
  readResultCacheDirs: string[];
  /** Bound of the answers in its own. */
  resultCacheBytesMax: number;
  limits: TaskLimits;
  /** File of the TraceProcessor wasm. */
  engineFile: string;
  /** SQL packages that scripts may include: `name=directory`. */
  sqlPackages: string[];
  /** The bundle of worker/engines/thread.ts. */
  threadEntry: URL;
  /** How long a worker that was told to stop goes on with what it had begun. */
  drainMs: number;
  logLevel: LogLevel;
  /** Whether the line that says it is ready is JSON. */
  json: boolean;
}

/** Less is too little for ordinary traces: a worker without a number of threads of its own rather has fewer. */
const INSTANCE_BYTES_WANTED = 512 * 2 ** 20;
/** Less does not hold the engine and a small trace. */
export const INSTANCE_BYTES_MIN = 64 * 2 ** 20;
/** wasm32's own bound. */
export const INSTANCE_BYTES_MAX = 2 ** 32;

export const LIMIT_DEFAULTS: TaskLimits = {
  traceTimeoutMs: 10 * 60_000,
  traceBytesMax: 4 * 2 ** 30,
  memoryBytesMax: INSTANCE_BYTES_MAX,
  resultRowsMax: 2 ** 31,
  resultBytesMax: 4 * 2 ** 30,
};

/** Half of the memory that this process may use; cached results, threads and the process itself take of the rest. */
export function defaultMemoryBytes({ memoryBytes }: Machine): number {
  return Math.floor(memoryBytes / 2);
}

/**
 * What one trace may take, so that all threads together stay within the bound.
 * @throws invalid_option where that is too little
 */
export function defaultInstanceBytes(memoryBytesMax: number, threads: number): number {
  const share = Math.floor(memoryBytesMax / threads);
  if (share < INSTANCE_BYTES_MIN)
    throw new BigtraceError(
      'invalid_option',
      `${memoryBytesMax} bytes (--memory-bytes) are ${share} for each of ${threads} threads (--threads), and a ` +
        `trace needs ${INSTANCE_BYTES_MIN} at least: give more memory, or fewer threads`,
    );
  return Math.min(share, INSTANCE_BYTES_MAX);
}

/** Beside the bound of loaded traces, so much smaller. */
export function defaultResultMemoryBytes(memoryBytesMax: number): number {
  return Math.floor(memoryBytesMax / 16);
}

/** One for other queries of a user whose traces run long, and one for other users. */
export const SPARE_THREADS_MIN = 2;

/** Most answers take milliseconds; a trace that takes longer than this to load is a large one, or a bad one. */
export const LONG_TASK_MS_DEFAULT = 2000;

export const CACHE_BYTES_DEFAULT = 20 * 2 ** 30;
export const RESULT_CACHE_BYTES_DEFAULT = 2 ** 30;

/** One a core, as far as each has memory enough for ordinary traces. */
export function defaultThreads(memoryBytesMax: number, cores: number): number {
  const enough = Math.floor(memoryBytesMax / INSTANCE_BYTES_WANTED);
  return Math.max(1, Math.min(cores, enough));
}

/** @throws invalid_option, naming what is missing. */
export function checkConfig(config: WorkerConfig): WorkerConfig {
  if (!existsSync(config.engineFile))
    throw new BigtraceError(
      'invalid_option',
      `there is no TraceProcessor wasm at ${config.engineFile} (--trace-processor-wasm)`,
    );
  return config;
}
