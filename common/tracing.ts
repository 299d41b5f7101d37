/** Spans of queries for OpenTelemetry. Its packages are loaded only where spans are wanted. */
import * as grpc from '@grpc/grpc-js';
import type { Logger } from './log.ts';

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

/** @param endpoint base URL of an OTLP receiver; without one there are no spans */
export async function startTracing(
  service: string,
  endpoint: string | undefined,
  log: Logger,
): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const { OtlpTracing } = await import('./otlp.ts');
  return new OtlpTracing(service, endpoint, log);
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
