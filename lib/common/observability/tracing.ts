/** Interface of spans, and the trace context in the metadata of gRPC calls. */
import * as grpc from '@grpc/grpc-js';

/** W3C trace context, as in the metadata of a call. */
export interface TraceContext {
  traceparent: string;
  tracestate?: string;
}

export type SpanAttributes = Record<string, string | number>;

export interface Span {
  /** Context to pass on, so that further spans become children of this one. */
  readonly context: TraceContext;
  end(attributes: SpanAttributes, error?: { code: string; message: string }): void;
}

export interface Tracing {
  /** @param fromMs start of the span, in milliseconds since the epoch (default: now) */
  start(name: string, under: TraceContext | undefined, fromMs?: number): Span;
  /** Sends the waiting spans, with a timeout (2 s in otlp.ts). Never rejects. */
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
