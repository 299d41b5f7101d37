/** Executes a query from its list of addresses to its end: trace source, run, time limit, cancellation. */

import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import type { SpanAttributes, Tracing } from '../../lib/common/observability/tracing.ts';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import type { Progress } from '../../lib/proto/messages.ts';
import { listTraces } from '../fleet/list-traces.ts';
import type { Peers } from '../peers/peers.ts';
import type { Catalog } from './catalog.ts';
import { QueryRun, type QueryRunContext } from './query-run.ts';
import type { QuerySpec, Sink } from './query-spec.ts';
import type { QueryTotals } from './query-totals.ts';
import type { RunningQueries } from './running-queries.ts';
import { type FoundTrace, type TraceSourceOptions, traceSource } from './trace-source.ts';

/** The state that all queries of an orchestrator share. */
export interface QueryContext extends QueryRunContext {
  running: RunningQueries;
  peers: Peers;
  /** Undefined without `--clickhouse`. */
  catalog?: Catalog | undefined;
  /** Undefined when no spans are exported. */
  tracing?: Tracing | undefined;
}

/** @throws invalid_option when there is no catalog */
export function catalogOf({ catalog }: Pick<QueryContext, 'catalog'>): Catalog {
  if (catalog !== undefined) return catalog;
  throw new BigtraceError(
    'invalid_option',
    'this orchestrator has no catalog to select traces from; start it with --clickhouse',
  );
}

export interface Execution {
  /** Addresses and patterns, in batches as the client sends them. */
  addresses: AsyncIterable<Buffer[]>;
  sink: Sink;
  onAlias?: TraceSourceOptions['onAlias'];
  /** Aborts the query; the reason of the signal becomes the query's error. */
  signal: AbortSignal;
  /** Called when the query starts, with a function that returns its progress. */
  onStart?: (progress: () => Progress) => void;
}

/** Yields the traces that a query's addresses stand for. @param user of the query */
export function tracesOf(
  context: Pick<QueryContext, 'fleet' | 'workerWaitMs' | 'catalog'>,
  user: string,
  signal: AbortSignal,
  options: Pick<TraceSourceOptions, 'addresses' | 'onAlias' | 'onBad'>,
): AsyncGenerator<FoundTrace[]> {
  const { fleet, workerWaitMs } = context;
  return traceSource({
    ...options,
    list: (pattern) =>
      listTraces({ pattern: [pattern], limit: 0 }, { fleet, workerWaitMs, signal }),
    select: (expression) => catalogOf(context).addressesWhere(expression, { signal, user }),
    localRoots: () => fleet.localRoots(workerWaitMs, signal),
  });
}

/** Resolves when every trace has ended. @throws the error that ended the query earlier */
export async function execute(
  spec: QuerySpec,
  context: QueryContext,
  { addresses, sink, signal, onStart, onAlias }: Execution,
): Promise<void> {
  const { counters } = context;
  const { mode, traceContext } = spec;
  // ColumnFindingQueue bounds column finding.
  const leave = mode === 'ROWS' ? context.users.begin(spec.user) : (): void => undefined;
  const span = context.tracing?.start(
    `bigtrace.${mode === 'ROWS' ? 'query' : 'schema'}`,
    traceContext,
  );
  const run = new QueryRun({ ...spec, traceContext: span?.context ?? traceContext }, context, sink);
  if (spec.mode === 'ROWS') counters.add('queries');
  onStart?.(() => run.progress());
  const ended = new AbortController();
  const abort = (): void => run.fail(signal.reason);
  const timer = setTimeout(
    () => run.fail(timeLimitExceeded(spec, run.totals)),
    spec.limits.timeoutMs,
  );
  const forget = context.running.add(spec.queryId, spec.user, run);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  const source = tracesOf(context, spec.user, ended.signal, {
    ...{ addresses, onAlias },
    onBad: (address, error) => run.refuse(address, error),
  });
  let error: BigtraceError | undefined;
  try {
    await run.run(source);
  } catch (thrown) {
    error = asBigtraceError(thrown);
    if (spec.mode === 'ROWS') counters.add('queries_failed');
    // If all traces of a sample fail, column finding records what that means for the query.
    const isSample = spec.mode === 'TYPES' && error.code === 'all_failed';
    if (!run.recorded(thrown) && !isSample) recordFailure(spec, context, error);
    throw thrown;
  } finally {
    span?.end(attributesOf(spec, run.totals), error);
    clearTimeout(timer);
    forget();
    leave();
    signal.removeEventListener('abort', abort);
    ended.abort();
  }
}

function attributesOf({ queryId, user }: QuerySpec, totals: QueryTotals): SpanAttributes {
  return {
    'bigtrace.query.id': queryId,
    'bigtrace.user': user,
    'bigtrace.traces': totals.tracesTotal,
    'bigtrace.traces.done': totals.tracesDone,
    'bigtrace.traces.failed': totals.tracesFailed,
    'bigtrace.rows': totals.rows,
    'bigtrace.result_bytes': totals.resultBytes,
    'bigtrace.trace_bytes': totals.traceBytes,
    'bigtrace.core_ms': totals.coreMs,
  };
}

/** Records a failure of the whole query in the failure log; a cancelled query is not a failure. */
export function recordFailure(
  { queryId, user }: Pick<QuerySpec, 'queryId' | 'user'>,
  context: QueryContext,
  error: BigtraceError,
): void {
  const { code, detail: message } = error;
  if (code === 'cancelled') return;
  const trace = bytesFromText(error.trace ?? '');
  const timeMs = Date.now();
  context.failures.add({ queryId, user, trace, code, message, attempts: 0, timeMs });
}

function timeLimitExceeded(
  { limits }: QuerySpec,
  { tracesDone, tracesTotal }: QueryTotals,
): BigtraceError {
  return new BigtraceError(
    'deadline_exceeded',
    `the query exceeded its time limit of ${limits.timeoutMs} ms (${tracesDone} of ${tracesTotal} traces were done)`,
  );
}
