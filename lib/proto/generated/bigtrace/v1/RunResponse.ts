// Original file: bigtrace.proto

import type { RunEventInput as _bigtrace_v1_RunEventInput, RunEvent as _bigtrace_v1_RunEvent } from '../../bigtrace/v1/RunEvent.ts';

/**
 * A message contains the events that were ready.
 */
export interface RunResponseInput {
  'event'?: (_bigtrace_v1_RunEventInput)[];
}

/**
 * A message contains the events that were ready.
 */
export interface RunResponse {
  'event': (_bigtrace_v1_RunEvent)[];
}
