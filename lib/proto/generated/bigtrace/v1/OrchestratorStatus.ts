// Original file: bigtrace.proto

import type { WorkerStateInput as _bigtrace_v1_WorkerStateInput, WorkerState as _bigtrace_v1_WorkerState } from '../../bigtrace/v1/WorkerState.ts';
import type { QueryStateInput as _bigtrace_v1_QueryStateInput, QueryState as _bigtrace_v1_QueryState } from '../../bigtrace/v1/QueryState.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * With --peers, that of all orchestrators: counters and gauges are sums, except the numbers of workers.
 */
export interface OrchestratorStatusInput {
  'version'?: (string);
  'worker'?: (_bigtrace_v1_WorkerStateInput)[];
  'queriesRunning'?: (number);
  /**
   * orchestrator/counters.ts
   */
  'counters'?: ({[key: string]: number | string | Long});
  'gauges'?: ({[key: string]: number | string | Long});
  /**
   * the running queries
   */
  'query'?: (_bigtrace_v1_QueryStateInput)[];
}

/**
 * With --peers, that of all orchestrators: counters and gauges are sums, except the numbers of workers.
 */
export interface OrchestratorStatus {
  'version': (string);
  'worker': (_bigtrace_v1_WorkerState)[];
  'queriesRunning': (number);
  /**
   * orchestrator/counters.ts
   */
  'counters': ({[key: string]: number});
  'gauges': ({[key: string]: number});
  /**
   * the running queries
   */
  'query': (_bigtrace_v1_QueryState)[];
}
