/** Handles one call of upstream's `perfetto.protos.BigtraceOrchestrator.Query`, which returns one message per trace. */

import { randomUUID } from 'node:crypto';
import type * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../../lib/common/errors.ts';
import { traceContextOf } from '../../lib/common/observability/tracing.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { BigtraceQueryArgs, BigtraceQueryResponse, Column } from '../../lib/proto/messages.ts';
import { execute, type QueryContext } from '../query/execute.ts';
import type { Sink } from '../query/query-spec.ts';
import { callerName } from './caller.ts';
import { checkSql, completeLimits, type TimeLimits } from './limits.ts';

export type UpstreamCall = grpc.ServerWritableStream<BigtraceQueryArgs, BigtraceQueryResponse>;

/** Maximum bytes of results of unfinished traces of one query. It keeps each message below gRPC's 2 GiB. */
const GATHERED_BYTES_MAX = 2 ** 30;

class GatheringSink implements Sink {
  readonly #call: UpstreamCall;
  readonly #fail: (error: BigtraceError) => void;
  readonly #bytesMax: number;
  readonly #names: TraceNames;
  /** The results so far of the traces that have not ended, by trace address (as latin1). */
  readonly #gathered = new Map<string, { result: Buffer[]; bytes: number }>();
  #bytes = 0;
  #open = true;
  onDrain: () => void = () => undefined;

  constructor(
    call: UpstreamCall,
    fail: (error: BigtraceError) => void,
    bytesMax = GATHERED_BYTES_MAX,
    names = new TraceNames(),
  ) {
    this.#names = names;
    this.#call = call;
    this.#fail = fail;
    this.#bytesMax = bytesMax;
    call.on('drain', () => {
      this.#open = true;
      this.onDrain();
    });
  }

  rows(trace: Buffer, result: Buffer, last: boolean): void {
    const key = trace.toString('latin1');
    const sofar = this.#gathered.get(key) ?? { result: [], bytes: 0 };
    sofar.result.push(result);
    sofar.bytes += result.length;
    this.#bytes += result.length;
    if (this.#bytes > this.#bytesMax) {
      this.#fail(this.#tooMuch(trace));
      return;
    }
    if (!last) {
      this.#gathered.set(key, sofar);
      return;
    }
    this.#gathered.delete(key);
    this.#bytes -= sofar.bytes;
    this.#open = this.#call.write({ trace: this.#names.clientName(trace), result: sofar.result });
  }

  types(_trace: Buffer, _columns: Column[]): void {
    throw new BigtraceError('internal', 'types came for a query of rows');
  }

  failure(_trace: Buffer, error: BigtraceError): void {
    this.#fail(error);
  }

  flush(): boolean {
    return this.#open;
  }

  #tooMuch(trace: Buffer): BigtraceError {
    const detail = `results of unfinished traces take more than ${this.#bytesMax} bytes; bigtrace.v1.Orchestrator.Query streams them`;
    return new BigtraceError('limit_exceeded', detail, { trace: printable(textFromBytes(trace)) });
  }
}

/** Maps canonical addresses back to the names that the client sent, by which upstream's clients know their traces. */
class TraceNames {
  /** The name that the client sent, by canonical address (as latin1). */
  readonly #clientNames = new Map<string, Buffer>();

  /** Adds a name; the first of several names of a trace is kept. */
  add(trace: Buffer, clientName: Buffer): void {
    const key = trace.toString('latin1');
    if (!this.#clientNames.has(key)) this.#clientNames.set(key, clientName);
  }

  clientName(trace: Buffer): Buffer {
    return this.#clientNames.get(trace.toString('latin1')) ?? trace;
  }

  /** Returns the error with the trace's name replaced by the one that the client sent. */
  error(thrown: unknown): unknown {
    if (!(thrown instanceof BigtraceError) || thrown.trace === undefined) return thrown;
    for (const [key, clientName] of this.#clientNames)
      if (printable(textFromBytes(Buffer.from(key, 'latin1'))) === thrown.trace)
        return thrown.ofTrace(printable(textFromBytes(clientName)));
    return thrown;
  }
}

/** Runs the query in strict mode, as upstream does. @throws the error to end the call with */
export async function handleUpstreamQuery(
  call: UpstreamCall,
  context: QueryContext,
  limits: TimeLimits,
  signal: AbortSignal,
): Promise<void> {
  const { traces, sqlQuery = Buffer.alloc(0) } = call.request;
  checkSql(sqlQuery);
  const failed = new AbortController();
  const spec = {
    queryId: randomUUID(),
    user: callerName('', call),
    sql: sqlQuery,
    limits: completeLimits(undefined, limits),
    mode: 'ROWS' as const,
    lenient: false,
    traceContext: traceContextOf(call.metadata),
  };
  const names = new TraceNames();
  try {
    await execute(spec, context, {
      addresses: once(traces),
      sink: new GatheringSink(call, (error) => failed.abort(error), undefined, names),
      onAlias: (trace, clientName) => names.add(trace, clientName),
      signal: AbortSignal.any([signal, failed.signal]),
    });
  } catch (thrown) {
    throw names.error(thrown);
  }
}

async function* once(traces: Buffer[]): AsyncGenerator<Buffer[]> {
  yield traces;
}
