/** Spans of queries, and the trace context that travels with gRPC calls. */
import * as grpc from '@grpc/grpc-js';

/** W3C trace context, as it travels with a call. */
export interface TraceContext {
  traceparent: string;
  tracestate?: string;
}

export type SpanAttributes = Record<string, string | number>;

export interface Span {
  /** For those whose spans belong under this one. */
  readonly context: TraceContext;
  end(attributes: SpanAttributes, error?: { code: string; message: string }): void;
}

export interface Tracing {
  /** @param fromMs when it began, if not now; since the epoch */
  start(name: string, under: TraceContext | undefined, fromMs?: number): Span;
  /** Sends what waits, as far as that takes no longer than a moment; never rejects. */
  close(): Promise<void>;
}

export function traceContextOf(metadata: grpc.Metadata): TraceContext | undefined {
  const [traceparent] = metadata.get('traceparent');
  const [tracestate] = metadata.get('tracestate');
  if (typeof traceparent !== 'string') return undefined;
  return typeof tracestate === 'string' ? { traceparent, tracestate } : { traceparent };
}

export function metadataOf(context: TraceContext | undefined): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(context ?? {})) metadata.set(name, value);
  return metadata;
}
