/** Handles the calls that stream something other than rows: List, Failures, ReadTrace and Vocabulary. */
import type * as grpc from '@grpc/grpc-js';
import { drained } from '../../lib/common/network/stream-drain.ts';
import type {
  FailuresRequest,
  FailuresResponse,
  ListRequest,
  ListResponse,
  ReadTraceRequest,
  ReadTraceResponse,
  RecordedFailure,
  VocabularyRequest,
  VocabularyResponse,
} from '../../lib/proto/messages.ts';
import { EnginePin } from '../dispatch/engine-pin.ts';
import { fromAnyWorker } from '../fleet/any-worker.ts';
import type { FleetWorker } from '../fleet/fleet.ts';
import { listTraces } from '../fleet/list-traces.ts';
import { readTrace } from '../fleet/read-trace.ts';
import { wholeFailures } from '../peers/whole-status.ts';
import type { QueryContext } from '../query/execute.ts';
import { TraceSet, traceDigest } from '../query/trace-set.ts';
import { noMatch } from '../query/trace-source.ts';

export type ListCall = grpc.ServerWritableStream<ListRequest, ListResponse>;
export type FailuresCall = grpc.ServerWritableStream<FailuresRequest, FailuresResponse>;
export type ReadTraceCall = grpc.ServerWritableStream<ReadTraceRequest, ReadTraceResponse>;
export type VocabularyCall = grpc.ServerWritableStream<VocabularyRequest, VocabularyResponse>;

const BATCH_FAILURES = 256;

/** Streams each matching trace once. @throws no_match when no pattern matches, and the errors of `listTraces` */
export async function handleList(
  call: ListCall,
  { fleet, workerWaitMs }: QueryContext,
  signal: AbortSignal,
): Promise<void> {
  const { pattern } = call.request;
  const sent = new TraceSet();
  for await (const listed of listTraces(call.request, { fleet, workerWaitMs, signal })) {
    const trace = listed.filter(({ address }) => sent.add(traceDigest(address)));
    if (trace.length > 0 && !call.write({ trace })) await drained(call, signal);
    signal.throwIfAborted();
  }
  if (sent.size === 0) throw noMatch(pattern[0] ?? Buffer.alloc(0));
}

export async function handleFailures(
  call: FailuresCall,
  { failures, peers }: QueryContext,
  signal: AbortSignal,
): Promise<void> {
  const { queryId, limit, ownOnly } = call.request;
  const own = [...failures.read(queryId, limit)];
  const others = ownOnly
    ? []
    : await peers.responses((client) => client.failures(queryId, limit, true));
  let failure: RecordedFailure[] = [];
  for (const one of others.length === 0 ? own : wholeFailures([own, ...others], limit)) {
    failure.push(one);
    if (failure.length < BATCH_FAILURES) continue;
    if (!call.write({ failure })) await drained(call, signal);
    signal.throwIfAborted();
    failure = [];
  }
  if (failure.length > 0) call.write({ failure });
}

/** Streams the bytes of a trace as fast as the client reads. @throws the errors of `readTrace` */
export async function handleReadTrace(
  call: ReadTraceCall,
  { fleet, workerWaitMs }: QueryContext,
  signal: AbortSignal,
): Promise<void> {
  for await (const data of readTrace(call.request, { fleet, workerWaitMs, signal }))
    if (!call.write({ data })) await drained(call);
}

/** Sends what a worker with the engine knows. @throws invalid_option if no worker has the engine, no_workers */
export async function handleVocabulary(
  call: VocabularyCall,
  { fleet, workerWaitMs }: QueryContext,
  signal: AbortSignal,
): Promise<void> {
  const { engine } = call.request;
  const pin = new EnginePin(engine === '' ? undefined : engine);
  const accepts = (worker: FleetWorker): boolean => {
    pin.choose(fleet);
    return pin.accepts(worker);
  };
  const options = { fleet, workerWaitMs, signal, accepts };
  for await (const response of fromAnyWorker((client) => client.vocabulary({ engine }), options))
    if (!call.write(response)) await drained(call, signal);
}
