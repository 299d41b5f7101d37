/**
 * Handles `bigtrace.v1.Orchestrator.Estimate`: expands the addresses of a query, and asks the preferred worker of each trace
 * where its result would come from. Nothing is loaded or run.
 */
import type * as grpc from '@grpc/grpc-js';
import { engineNamed } from '../../lib/common/text/engine-comment.ts';
import type {
  EstimateResponse,
  QueryRequest,
  QueryStart,
  TraceSources,
} from '../../lib/proto/messages.ts';
import { EnginePin } from '../dispatch/engine-pin.ts';
import { preferredWorker } from '../dispatch/placement.ts';
import type { FleetWorker } from '../fleet/fleet.ts';
import { type QueryContext, tracesOf } from '../query/execute.ts';
import type { FoundTrace } from '../query/trace-source.ts';
import { callerName } from './caller.ts';
import { addressesOf, startOf } from './query-call.ts';
import { RequestReader } from './request-reader.ts';

export type EstimateCall = grpc.ServerReadableStream<QueryRequest, EstimateResponse>;

/** Time for a worker to answer about BATCH_TRACES traces; it may have to ask a store about each. */
const SOURCES_MS_MAX = 60_000;

/** @throws the errors of a query about its addresses, no_workers */
export async function handleEstimate(
  call: EstimateCall,
  context: QueryContext,
  signal: AbortSignal,
): Promise<EstimateResponse> {
  const reader = new RequestReader<QueryRequest>(call);
  try {
    const start = await startOf(reader);
    const user = callerName(start.user, call);
    context.users.check(user);
    const sources: TraceSources = {
      ...{ remembered: 0, loaded: 0, restored: 0, parsed: 0, failed: 0, traceBytes: 0 },
      parsedBytes: 0,
    };
    const estimate = { sources, unknown: 0 };
    const found = tracesOf(context, user, signal, {
      addresses: addressesOf(reader),
      onBad: (_, error) => {
        if (start.onFailure === 'STRICT' || error.kind !== 'user') throw error;
        sources.failed += 1;
      },
    });
    for await (const traces of found) {
      await add(estimate, traces, { ...start, user }, context, signal);
      signal.throwIfAborted();
    }
    return estimate;
  } finally {
    reader.discard();
  }
}

/** Adds a batch of traces to the estimate. */
async function add(
  estimate: { sources: TraceSources; unknown: number },
  traces: FoundTrace[],
  { sql, user }: Pick<QueryStart, 'sql' | 'user'>,
  context: QueryContext,
  signal: AbortSignal,
): Promise<void> {
  const { fleet, workerWaitMs, memory } = context;
  await fleet.waitUsable(workerWaitMs, signal);
  const pin = new EnginePin(engineNamed(sql));
  pin.choose(fleet);
  const workers = fleet.usable.filter((worker) => pin.accepts(worker));
  const byWorker = new Map<FleetWorker, FoundTrace[]>();
  for (const trace of traces) {
    const before = memory.get(trace.digest);
    const worker =
      workers.find(({ address }) => before.includes(address)) ??
      preferredWorker(
        trace.digest,
        workers.map((one) => ({ one, seed: one.seed, load: 0 })),
      )?.one;
    if (worker === undefined) throw fleet.noWorkers();
    const its = byWorker.get(worker);
    if (its === undefined) byWorker.set(worker, [trace]);
    else its.push(trace);
  }
  const asked = [...byWorker].map(async ([worker, its]) => {
    const trace = its.map(({ trace: address, listed }) => ({
      ...{ address, generation: listed?.generation ?? '', size: listed?.size ?? 0 },
    }));
    try {
      const answer = await worker.client.sources({ sql, trace, user }, SOURCES_MS_MAX, signal);
      for (const name of Object.keys(estimate.sources) as (keyof TraceSources)[])
        estimate.sources[name] += answer[name];
    } catch {
      estimate.unknown += its.length; // it was lost, or is of an earlier version
    }
  });
  await Promise.all(asked);
}
