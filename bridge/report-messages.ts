/** What the orchestrator says of queries that run and of what failed, decoded by hand as messages.ts is. */
import { WireReader } from '../query-result/wire.ts';
import { EMPTY, eachField, nested, text } from './messages.ts';

export interface RecordedFailure {
  queryId: string;
  user: string;
  /** Empty where the query failed as a whole. */
  trace: Uint8Array;
  code: string;
  message: string;
  attempts: number;
  timeMs: number;
}

export interface RunningQuery {
  queryId: string;
  user: string;
  startedMs: number;
  /** By its number in the message Progress; what is 0 is not there. */
  progress: Map<number, number>;
}

export function decodeFailures(message: Uint8Array): RecordedFailure[] {
  const failures: RecordedFailure[] = [];
  eachField(new WireReader(message), (number, reader) => {
    if (number !== 1) return false;
    failures.push(decodeFailure(nested(reader)));
    return true;
  });
  return failures;
}

function decodeFailure(reader: WireReader): RecordedFailure {
  const failure = { ...{ queryId: '', user: '', code: '', message: '' }, attempts: 0, timeMs: 0 };
  let trace: Uint8Array = EMPTY;
  eachField(reader, (number) => {
    if (number === 1) failure.queryId = text(reader);
    else if (number === 2) failure.user = text(reader);
    else if (number === 3) trace = reader.bytes();
    else if (number === 4) failure.code = text(reader);
    else if (number === 5) failure.message = text(reader);
    else if (number === 6) failure.attempts = reader.varint();
    else if (number === 7) failure.timeMs = reader.varint();
    return number <= 7;
  });
  return { ...failure, trace };
}

export function decodeStatus(message: Uint8Array): RunningQuery[] {
  const queries: RunningQuery[] = [];
  eachField(new WireReader(message), (number, reader) => {
    if (number !== QUERY_OF_STATUS) return false;
    queries.push(decodeQuery(nested(reader)));
    return true;
  });
  return queries;
}

const QUERY_OF_STATUS = 6;

function decodeQuery(reader: WireReader): RunningQuery {
  const query: RunningQuery = { queryId: '', user: '', startedMs: 0, progress: new Map() };
  eachField(reader, (number) => {
    if (number === 1) query.queryId = text(reader);
    else if (number === 2) query.user = text(reader);
    else if (number === 3) query.startedMs = reader.varint();
    else if (number === 4)
      eachField(nested(reader), (field, within) => {
        query.progress.set(field, within.varint());
        return true;
      });
    return number <= 4;
  });
  return query;
}
