// Original file: bigtrace.proto

import type { RunningTraceInput as _bigtrace_v1_RunningTraceInput, RunningTrace as _bigtrace_v1_RunningTrace } from '../../bigtrace/v1/RunningTrace.ts';
import type { BarredTraceInput as _bigtrace_v1_BarredTraceInput, BarredTrace as _bigtrace_v1_BarredTrace } from '../../bigtrace/v1/BarredTrace.ts';
import type { Long } from '@grpc/proto-loader';

export interface WorkerStatusInput {
  'version'?: (string);
  /**
   * engine version: TraceProcessor's version, and a digest
   */
  'engine'?: (string);
  'threads'?: (number);
  'tasksRunning'?: (number);
  'tasksQueued'?: (number);
  'uptimeMs'?: (number | string | Long);
  'draining'?: (boolean);
  /**
   * worker/counters.ts
   */
  'counters'?: ({[key: string]: number | string | Long});
  'gauges'?: ({[key: string]: number | string | Long});
  /**
   * names of the SQL packages that scripts may include
   */
  'sqlPackage'?: (string)[];
  /**
   * ID of its cache directory, by which traces are placed even if its address changes
   */
  'cacheId'?: (string);
  /**
   * for RunStart.credits
   */
  'firstCredits'?: (number);
  /**
   * the traces that have run longest, at most 100; none is QUEUED
   */
  'running'?: (_bigtrace_v1_RunningTraceInput)[];
  /**
   * the traces barred last, newest first, at most 100
   */
  'barred'?: (_bigtrace_v1_BarredTraceInput)[];
  /**
   * number of barred traces
   */
  'barredTotal'?: (number);
  /**
   * directories that an absolute path under /local may begin with
   */
  'localRoot'?: (Buffer | Uint8Array | string)[];
  /**
   * maximum memory of one engine
   */
  'instanceMemoryBytes'?: (number | string | Long);
  /**
   * name of the engine, such as bundled or v52.0-6b9586def, by which scripts choose it
   */
  'engineName'?: (string);
  /**
   * whether the engine has 64-bit memory for large traces
   */
  'memory64'?: (boolean);
  /**
   * what executes the engine: v8, or native for a compiled one; empty: an earlier version
   */
  'engineRuntime'?: (string);
}

export interface WorkerStatus {
  'version': (string);
  /**
   * engine version: TraceProcessor's version, and a digest
   */
  'engine': (string);
  'threads': (number);
  'tasksRunning': (number);
  'tasksQueued': (number);
  'uptimeMs': (number);
  'draining': (boolean);
  /**
   * worker/counters.ts
   */
  'counters': ({[key: string]: number});
  'gauges': ({[key: string]: number});
  /**
   * names of the SQL packages that scripts may include
   */
  'sqlPackage': (string)[];
  /**
   * ID of its cache directory, by which traces are placed even if its address changes
   */
  'cacheId': (string);
  /**
   * for RunStart.credits
   */
  'firstCredits': (number);
  /**
   * the traces that have run longest, at most 100; none is QUEUED
   */
  'running': (_bigtrace_v1_RunningTrace)[];
  /**
   * the traces barred last, newest first, at most 100
   */
  'barred': (_bigtrace_v1_BarredTrace)[];
  /**
   * number of barred traces
   */
  'barredTotal': (number);
  /**
   * directories that an absolute path under /local may begin with
   */
  'localRoot': (Buffer)[];
  /**
   * maximum memory of one engine
   */
  'instanceMemoryBytes': (number);
  /**
   * name of the engine, such as bundled or v52.0-6b9586def, by which scripts choose it
   */
  'engineName': (string);
  /**
   * whether the engine has 64-bit memory for large traces
   */
  'memory64': (boolean);
  /**
   * what executes the engine: v8, or native for a compiled one; empty: an earlier version
   */
  'engineRuntime': (string);
}
