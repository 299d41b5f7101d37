/** Hand-written decoders of the messages about running queries and recent failures; messages.ts says why. */
import { eachField } from '../../lib/query-result/wire.ts';
import { EMPTY } from './messages.ts';

export interface RecordedFailure {
  queryId: string;
  user: string;
  /** Empty if the query failed as a whole. */
  trace: Uint8Array;
  code: string;
  message: string;
  attempts: number;
  /** Since the epoch. */
  timeMs: number;
}

export interface RunningQuery {
  queryId: string;
  user: string;
  startedMs: number;
  /** Values by field number of the message Progress. Fields that are 0 are absent. */
  progress: Map<number, number>;
  running: RunningTrace[];
}

/** A trace that a worker processes. */
export interface RunningTrace {
  trace: Uint8Array;
  /** Value of TaskPhase. */
  phase: number;
  phaseMs: number;
  totalMs: number;
  worker: string;
}

export function decodeFailures(message: Uint8Array): RecordedFailure[] {
  const failures: RecordedFailure[] = [];
  eachField(message, (field, reader) => {
    if (field === 1) failures.push(decodeFailure(reader.bytes()));
  });
  return failures;
}

function decodeFailure(message: Uint8Array): RecordedFailure {
  const failure = { ...{ queryId: '', user: '', code: '', message: '' }, attempts: 0, timeMs: 0 };
  let trace: Uint8Array = EMPTY;
  eachField(message, (field, reader) => {
    if (field === 1) failure.queryId = reader.text();
    else if (field === 2) failure.user = reader.text();
    else if (field === 3) trace = reader.bytes();
    else if (field === 4) failure.code = reader.text();
    else if (field === 5) failure.message = reader.text();
    else if (field === 6) failure.attempts = reader.varint();
    else if (field === 7) failure.timeMs = reader.varint();
  });
  return { ...failure, trace };
}

export function decodeStatus(message: Uint8Array): RunningQuery[] {
  const queries: RunningQuery[] = [];
  eachField(message, (field, reader) => {
    if (field === QUERY_OF_STATUS) queries.push(decodeQuery(reader.bytes()));
  });
  return queries;
}

const QUERY_OF_STATUS = 6;

function decodeQuery(message: Uint8Array): RunningQuery {
  const query: RunningQuery = {
    ...{ queryId: '', user: '', startedMs: 0 },
    ...{ progress: new Map(), running: [] },
  };
  eachField(message, (field, reader) => {
    if (field === 1) query.queryId = reader.text();
    else if (field === 2) query.user = reader.text();
    else if (field === 3) query.startedMs = reader.varint();
    else if (field === 4)
      eachField(reader.bytes(), (number, within) => {
        if (number === RUNNING_OF_PROGRESS) query.running.push(decodeRunning(within.bytes()));
        else query.progress.set(number, within.varint());
      });
  });
  return query;
}

const RUNNING_OF_PROGRESS = 9;

function decodeRunning(message: Uint8Array): RunningTrace {
  const running: RunningTrace = { trace: EMPTY, phase: 0, phaseMs: 0, totalMs: 0, worker: '' };
  eachField(message, (field, reader) => {
    if (field === 1) running.trace = reader.bytes();
    else if (field === 2) running.phase = reader.varint();
    else if (field === 3) running.phaseMs = reader.varint();
    else if (field === 4) running.totalMs = reader.varint();
    else if (field === 7) running.worker = reader.text();
  });
  return running;
}
