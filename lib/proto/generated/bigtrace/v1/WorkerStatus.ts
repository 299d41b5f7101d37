// Original file: bigtrace.proto

import type { RunningTraceInput as _bigtrace_v1_RunningTraceInput, RunningTrace as _bigtrace_v1_RunningTrace } from '../../bigtrace/v1/RunningTrace.ts';
import type { BarredTraceInput as _bigtrace_v1_BarredTraceInput, BarredTrace as _bigtrace_v1_BarredTrace } from '../../bigtrace/v1/BarredTrace.ts';
import type { Long } from '@grpc/proto-loader';

export interface WorkerStatusInput {
  'version'?: (string);
  /**
   * TraceProcessor's version and the wasm's digest
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
   * of its directory of images, which it may have had under another address
   */
  'cacheId'?: (string);
  /**
   * what a stream may begin with: RunStart.credits
   */
  'firstCredits'?: (number);
  /**
   * the traces that have run longest, at most 100; none is QUEUED
   */
  'running'?: (_bigtrace_v1_RunningTraceInput)[];
  /**
   * barred last first, at most 100
   */
  'barred'?: (_bigtrace_v1_BarredTraceInput)[];
  /**
   * how many are barred
   */
  'barredTotal'?: (number);
  /**
   * directories that absolute paths of /local may begin with
   */
  'localRoot'?: (Buffer | Uint8Array | string)[];
}

export interface WorkerStatus {
  'version': (string);
  /**
   * TraceProcessor's version and the wasm's digest
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
   * of its directory of images, which it may have had under another address
   */
  'cacheId': (string);
  /**
   * what a stream may begin with: RunStart.credits
   */
  'firstCredits': (number);
  /**
   * the traces that have run longest, at most 100; none is QUEUED
   */
  'running': (_bigtrace_v1_RunningTrace)[];
  /**
   * barred last first, at most 100
   */
  'barred': (_bigtrace_v1_BarredTrace)[];
  /**
   * how many are barred
   */
  'barredTotal': (number);
  /**
   * directories that absolute paths of /local may begin with
   */
  'localRoot': (Buffer)[];
}
