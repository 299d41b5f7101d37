/** Handles one call of `bigtrace.v1.Orchestrator.Query`. */

import { randomUUID } from 'node:crypto';
import type * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../../lib/common/errors.ts';
import { traceContextOf } from '../../lib/common/observability/tracing.ts';
import { checkNameLength } from '../../lib/common/text/text-bounds.ts';
import type {
  Column,
  Progress,
  QueryEvent,
  QueryRequest,
  QueryResponse,
  QueryStart,
} from '../../lib/proto/messages.ts';
import { execute, type QueryContext } from '../query/execute.ts';
import type { Sink } from '../query/query-spec.ts';
import { callerName } from './caller.ts';
import { checkSql, completeLimits, type TimeLimits } from './limits.ts';
import { RequestReader } from './request-reader.ts';

export type QueryCall = grpc.ServerDuplexStream<QueryRequest, QueryResponse>;

const PROGRESS_INTERVAL_MS_MIN = 10;

class ClientSink implements Sink {
  readonly #call: QueryCall;
  #events: QueryEvent[] = [];
  /** Whether the client accepts more data; false from a full write buffer until its drain event. */
  #open = true;
  onDrain: () => void = () => undefined;

  constructor(call: QueryCall) {
    this.#call = call;
    call.on('drain', () => {
      this.#open = true;
      this.onDrain();
    });
  }

  rows(trace: Buffer, result: Buffer, last: boolean): void {
    this.#events.push({ rows: { trace, result, last } });
  }

  types(_trace: Buffer, _columns: Column[]): void {
    throw new BigtraceError('internal', 'types came for a query of rows');
  }

  failure(trace: Buffer, { code, detail }: BigtraceError, attempts: number): void {
    this.#events.push({ failure: { trace, code, message: detail, attempts } });
  }

  progress(progress: Progress): void {
    this.#events.push({ progress });
    this.flush();
  }

  /** Whether the write buffer of the call has room. */
  get idle(): boolean {
    return this.#open;
  }

  flush(): boolean {
    if (this.#events.length === 0) return this.#open;
    const event = this.#events;
    this.#events = [];
    this.#open = this.#call.write({ event });
    return this.#open;
  }
}

/** Resolves when all events are written; the caller ends the call. @throws the error to end the call with */
export async function handleQuery(
  call: QueryCall,
  context: QueryContext,
  limits: TimeLimits,
  signal: AbortSignal,
  onEnd: (queryId: string) => void = () => undefined,
): Promise<void> {
  const reader = new RequestReader<QueryRequest>(call);
  const sink = new ClientSink(call);
  let timer: NodeJS.Timeout | undefined;
  let progress: (() => Progress) | undefined;
  let queryId = '';
  try {
    const start = await startOf(reader);
    queryId = start.queryId;
    const spec = {
      queryId: start.queryId || randomUUID(),
      user: callerName(start.user, call),
      sql: start.sql,
      limits: completeLimits(start.limits, limits),
      mode: 'ROWS' as const,
      lenient: start.onFailure === 'LENIENT',
      traceContext: traceContextOf(call.metadata),
    };
    await execute(spec, context, {
      addresses: addressesOf(reader),
      sink,
      signal,
      onStart: (now) => {
        progress = now;
        if (start.progressIntervalMs === 0) return;
        // A client that does not keep up with the rows gets no progress events in addition.
        const sendProgress = (): void => void (sink.idle && sink.progress(now()));
        timer = setInterval(
          sendProgress,
          Math.max(start.progressIntervalMs, PROGRESS_INTERVAL_MS_MIN),
        );
      },
    });
    if (progress !== undefined && start.progressIntervalMs > 0) sink.progress(progress());
  } finally {
    clearInterval(timer);
    reader.discard();
    sink.flush();
    onEnd(queryId);
  }
}

export async function startOf(reader: RequestReader<QueryRequest>): Promise<QueryStart> {
  const first = await reader.next();
  if (!first?.start) throw misused('the first message must be start');
  checkSql(first.start.sql);
  checkNameLength('the query ID', first.start.queryId);
  return first.start;
}

export async function* addressesOf(reader: RequestReader<QueryRequest>): AsyncGenerator<Buffer[]> {
  for (let message = await reader.next(); message; message = await reader.next()) {
    if (!message.traces) throw misused('only the first message may be start');
    yield message.traces.address;
  }
}

function misused(what: string): BigtraceError {
  return new BigtraceError('invalid_option', `${what} (bigtrace.v1.Orchestrator.Query)`);
}
