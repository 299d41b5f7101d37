/** Defines the flags of `bigtrace worker`; each can also be set by a `BIGTRACE_…` environment variable. */
import { basename } from 'node:path';
import { Command, InvalidArgumentError, type Option } from 'commander';
import { thisMachine } from '../lib/common/machine.ts';
import type { LogLevel } from '../lib/common/observability/log.ts';
import { byteSize, durationMs, integerFrom } from '../lib/common/options/options.ts';
import {
  resolveServerSecurity,
  type ServerSecurityFlags,
  serverSecurityOptions,
  tracingOption,
} from '../lib/common/options/server-security-options.ts';
import { listenOptions, option, processOptions } from '../lib/common/options/service-options.ts';
import { ROOT_URL } from '../lib/common/root.ts';
import { chosenEngine, type EngineFiles } from '../lib/engine/engine-choice.ts';
import { addStoreOptions, storeOptionsOf } from '../lib/trace-store/index.ts';
import type { SharedSnapshotOptions } from './cache/shared/open-shared-store.ts';
import {
  CACHE_BYTES_DEFAULT,
  checkConfig,
  defaultInstanceBytes,
  defaultMemoryBytes,
  defaultResultMemoryBytes,
  defaultThreads,
  instanceBytesMax,
  LIMIT_DEFAULTS,
  LONG_TASK_MS_DEFAULT,
  RESULT_CACHE_BYTES_DEFAULT,
  SHARED_BYTES_DEFAULT,
  SPARE_THREADS_MIN,
  type WorkerConfig,
} from './config.ts';
import {
  addonsOption,
  engineOption,
  type RuntimeFlags,
  runtimeChoice,
  runtimeOption,
} from './engine-option.ts';
import { LOAD_BOUND_DEFAULT } from './engines/load-watch.ts';
import { serve } from './serve.ts';
import { sqlPackageOption } from './sql-package-option.ts';

interface Flags extends ServerSecurityFlags, RuntimeFlags {
  listen: string;
  port: number;
  socket?: string;
  threads?: number;
  spareThreads?: number;
  longTask: number;
  loadTime: number;
  loadRate: number;
  memoryBytes?: number;
  resultMemoryBytes?: number;
  cacheDir?: string;
  readCacheDir?: string[];
  cacheBytes: number;
  sharedSnapshots?: string;
  writeSharedSnapshots: boolean;
  uncompressedCacheBytes: number;
  sharedSnapshotsBytes: number;
  resultCacheDir?: string;
  readResultCacheDir?: string[];
  resultCacheBytes: number;
  traceTimeout: number;
  traceBytesMax: number;
  instanceMemoryBytes?: number;
  resultRowsMax: number;
  resultBytesMax: number;
  engine?: string;
  traceProcessorWasm?: string;
  sqlPackage?: string[];
  kubernetesPod?: string;
  drainTimeout: number;
  logLevel: LogLevel;
  json: boolean;
}

const THREAD_ENTRY = new URL('dist/worker-thread.cjs', ROOT_URL);
const FILE_THREAD_ENTRY = new URL('dist/file-thread.js', ROOT_URL);

/** `dataDir`: where `bigtrace engine` installs engines. */
export function workerCommand(dataDir: string): Command {
  const command = new Command('worker').description(
    'run a worker: read traces and run scripts on them, for orchestrators',
  );
  for (const one of listenOptions(5052)) command.addOption(one);
  command
    .addOption(
      option(
        '--threads <n>',
        'number of engine threads: traces processed at the same time (default: one per core, fewer if memory is short)',
        'THREADS',
      ).argParser(integerFrom(1, 1024)),
    )
    .addOption(
      option(
        '--spare-threads <n>',
        'additional engine threads, used while tasks exceed --long-task (default: same as --threads, at least 2)',
        'SPARE_THREADS',
      ).argParser(integerFrom(0, 1024)),
    )
    .addOption(
      option(
        '--long-task <time>',
        'a task that runs longer than this no longer counts against --threads, so that other tasks run on spare threads',
        'LONG_TASK',
      )
        .default(LONG_TASK_MS_DEFAULT, '2s')
        .argParser(durationMs),
    );
  const common = [...serverSecurityOptions(), tracingOption(), ...processOptions('tasks', 30_000)];
  for (const one of common) command.addOption(one);
  return addLimits(addCaches(addStoreOptions(command)))
    .addOption(
      option(
        '--trace-processor-wasm <file>',
        'TraceProcessor WebAssembly file to use instead of the files of --engine',
        'TRACE_PROCESSOR_WASM',
      ),
    )
    .addOption(engineOption())
    .addOption(runtimeOption())
    .addOption(addonsOption())
    .addOption(sqlPackageOption())
    .addOption(
      option(
        '--kubernetes-pod <namespace/name>',
        'pod of this worker, on which it sets what its caches are worth as pod-deletion-cost (default: none)',
        'KUBERNETES_POD',
      ).argParser(podName),
    )
    .action(async () => {
      process.umask(0o077); // snapshots and results are private to their owner
      await serve(checkConfig(workerConfig(command, dataDir)));
    });
}

function addCaches(command: Command): Command {
  for (const one of sharedSnapshotOptions()) command.addOption(one);
  return command
    .addOption(
      option(
        '--memory-bytes <size>',
        'maximum memory of all loaded traces (default: half of the memory of the machine or container)',
        'MEMORY_BYTES',
      ).argParser(byteSize),
    )
    .addOption(
      option(
        '--result-memory-bytes <size>',
        'maximum memory of the result cache; 0 disables it (default: 1/16 of --memory-bytes)',
        'RESULT_MEMORY_BYTES',
      ).argParser(byteSize),
    )
    .addOption(
      option(
        '--cache-dir <dir>',
        'directory for snapshots of loaded traces; not shared with other workers (default: no snapshots)',
        'CACHE_DIR',
      ),
    )
    .addOption(
      option(
        '--read-cache-dir <dir,…>',
        'snapshot directories of other workers, opened read-only; may be repeated',
        'READ_CACHE_DIR',
      ).argParser(moreOf),
    )
    .addOption(
      option('--cache-bytes <size>', 'maximum size of all snapshots in --cache-dir', 'CACHE_BYTES')
        .default(CACHE_BYTES_DEFAULT, '20GiB')
        .argParser(byteSize),
    )
    .addOption(
      option(
        '--uncompressed-cache-bytes <size>',
        'maximum size of uncompressed snapshots in --cache-dir, which compiled engines read as they need them; 0: none',
        'UNCOMPRESSED_CACHE_BYTES',
      )
        .default(0, '0')
        .argParser(byteSize),
    )
    .addOption(
      option(
        '--result-cache-dir <dir>',
        'directory for the result cache; not shared with other workers (default: results are cached in memory only)',
        'RESULT_CACHE_DIR',
      ),
    )
    .addOption(
      option(
        '--read-result-cache-dir <dir,…>',
        'result cache directories of other workers, opened read-only; may be repeated',
        'READ_RESULT_CACHE_DIR',
      ).argParser(moreOf),
    )
    .addOption(
      option(
        '--result-cache-bytes <size>',
        'maximum size of the result cache in --result-cache-dir',
        'RESULT_CACHE_BYTES',
      )
        .default(RESULT_CACHE_BYTES_DEFAULT, '1GiB')
        .argParser(byteSize),
    );
}

function sharedSnapshotOptions(): Option[] {
  return [
    option(
      '--shared-snapshots <place>',
      'where workers share snapshots: /gcs/BUCKET/o/PREFIX, /s3/BUCKET/PREFIX, or a directory that all mount; needs --cache-dir (default: nowhere)',
      'SHARED_SNAPSHOTS',
    ),
    option(
      '--write-shared-snapshots',
      'share the snapshots of this worker; those who may write there can change results, so let only workers write',
      'WRITE_SHARED_SNAPSHOTS',
    ).default(false),
    option(
      '--shared-snapshots-bytes <size>',
      'maximum size of shared snapshots in a directory; a lifecycle rule bounds those in a bucket',
      'SHARED_SNAPSHOTS_BYTES',
    )
      .default(SHARED_BYTES_DEFAULT, '100GiB')
      .argParser(byteSize),
  ];
}

function sharedSnapshotsOf(flags: Flags): SharedSnapshotOptions | undefined {
  const { sharedSnapshots: place, writeSharedSnapshots: writes } = flags;
  return place === undefined ? undefined : { place, writes, bytesMax: flags.sharedSnapshotsBytes };
}

function addLimits(command: Command): Command {
  return command
    .addOption(
      option('--trace-timeout <time>', 'maximum time of one task', 'TRACE_TIMEOUT')
        .default(LIMIT_DEFAULTS.traceTimeoutMs, '10m')
        .argParser(durationMs),
    )
    .addOption(
      option(
        '--load-time <time>',
        'time limit for loading a trace, before the allowance of --load-rate',
        'LOAD_TIME',
      )
        .default(LOAD_BOUND_DEFAULT.minMs, '30s')
        .argParser(durationMs),
    )
    .addOption(
      option(
        '--load-rate <size>',
        'adds one second to --load-time for every SIZE bytes of the trace; a trace that exceeds the limit is barred',
        'LOAD_RATE',
      )
        .default(LOAD_BOUND_DEFAULT.bytesPerSecond, '1MiB')
        .argParser(positiveByteSize),
    )
    .addOption(
      option('--trace-bytes-max <size>', 'maximum size of a trace', 'TRACE_BYTES_MAX')
        .default(LIMIT_DEFAULTS.traceBytesMax, '4GiB')
        .argParser(byteSize),
    )
    .addOption(
      option(
        '--instance-memory-bytes <size>',
        'maximum memory of one engine (default: --memory-bytes divided by --threads); at most 4GiB, or 16GiB with 64-bit memory',
        'INSTANCE_MEMORY_BYTES',
      ).argParser(byteSize),
    )
    .addOption(
      option(
        '--result-rows-max <n>',
        'maximum number of rows that one trace may return',
        'RESULT_ROWS_MAX',
      )
        .default(LIMIT_DEFAULTS.resultRowsMax)
        .argParser(integerFrom(1, Number.MAX_SAFE_INTEGER)),
    )
    .addOption(
      option(
        '--result-bytes-max <size>',
        'maximum encoded size of the rows that one trace may return',
        'RESULT_BYTES_MAX',
      )
        .default(LIMIT_DEFAULTS.resultBytesMax, '4GiB')
        .argParser(byteSize),
    );
}

/** Adds the parts of a comma-separated list to the values of earlier flags. */
function moreOf(text: string, previous: string[] = []): string[] {
  return [...previous, ...text.split(',').filter((part) => part !== '')];
}

/** @throws InvalidArgumentError unless the text is `namespace/name` */
function podName(text: string): string {
  if (!/^[a-z\d-]+\/[a-z\d.-]+$/.test(text))
    throw new InvalidArgumentError('it must be NAMESPACE/NAME.');
  return text;
}

/** @throws InvalidArgumentError for 0 bytes; commander adds the flag to its message */
function positiveByteSize(text: string): number {
  const bytes = byteSize(text);
  if (bytes === 0) throw new InvalidArgumentError('it must be greater than 0.');
  return bytes;
}

/** Resolves parsed flags to a configuration; the engine file is not checked here. */
export function workerConfig(command: Command, dataDir: string): WorkerConfig {
  const flags = command.opts<Flags>();
  const machine = thisMachine();
  const memoryBytesMax = flags.memoryBytes ?? defaultMemoryBytes(machine);
  const threads = flags.threads ?? defaultThreads(memoryBytesMax, machine.cores);
  const host = flags.listen.includes(':') ? `[${flags.listen}]` : flags.listen;
  const engine = engineFilesOf(flags, dataDir);
  const listen = flags.socket ?? `${host}:${flags.port}`;
  return {
    listen,
    serverSecurity: resolveServerSecurity(flags, listen),
    stores: storeOptionsOf(command),
    threads,
    spareThreads: flags.spareThreads ?? Math.max(threads, SPARE_THREADS_MIN),
    longTaskMs: flags.longTask,
    loadBound: { minMs: flags.loadTime, bytesPerSecond: flags.loadRate },
    memoryBytesMax,
    resultMemoryBytesMax: flags.resultMemoryBytes ?? defaultResultMemoryBytes(memoryBytesMax),
    cacheDir: flags.cacheDir,
    readCacheDirs: flags.readCacheDir ?? [],
    cacheBytesMax: flags.cacheBytes,
    uncompressedBytesMax: flags.uncompressedCacheBytes,
    sharedSnapshots: sharedSnapshotsOf(flags),
    resultCacheDir: flags.resultCacheDir,
    readResultCacheDirs: flags.readResultCacheDir ?? [],
    resultCacheBytesMax: flags.resultCacheBytes,
    limits: {
      traceTimeoutMs: flags.traceTimeout,
      traceBytesMax: flags.traceBytesMax,
      memoryBytesMax: Math.min(
        flags.instanceMemoryBytes ?? defaultInstanceBytes(memoryBytesMax, threads, engine),
        instanceBytesMax(engine.wasm64),
      ),
      resultRowsMax: flags.resultRowsMax,
      resultBytesMax: flags.resultBytesMax,
    },
    engine,
    runtime: runtimeChoice(flags, dataDir),
    sqlPackages: flags.sqlPackage ?? [],
    kubernetesPod: flags.kubernetesPod,
    threadEntry: THREAD_ENTRY,
    fileThreadEntry: FILE_THREAD_ENTRY,
    drainMs: flags.drainTimeout,
    logLevel: flags.logLevel,
    json: flags.json,
  };
}

/** Returns the files of the engine: the one wasm file, or those of the engine that the flags choose. */
function engineFilesOf({ engine, traceProcessorWasm }: Flags, dataDir: string): EngineFiles {
  if (traceProcessorWasm !== undefined)
    return { name: basename(traceProcessorWasm), wasm: traceProcessorWasm, wasm64: undefined };
  return chosenEngine(engine, dataDir);
}
