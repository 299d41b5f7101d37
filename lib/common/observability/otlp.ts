/** Sends spans to an OTLP receiver over HTTP (protobuf), in batches. Loaded only if there is one (start-tracing.ts). */
import { hostname } from 'node:os';
import {
  DiagLogLevel,
  diag,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { VERSION } from '../version.ts';
import type { Logger } from './log.ts';
import type { Span, SpanAttributes, TraceContext, Tracing } from './tracing.ts';

/** Timeout of sending a batch, with retries; then the batch is dropped. A service that stops waits at most this long. */
const EXPORT_MS_MAX = 2000;

const propagator = new W3CTraceContextPropagator();

/**
 * Records spans and sends them. OpenTelemetry's own variables set sampling, batches, headers and the resource. The
 * queue is bounded: if the receiver is too slow, spans are dropped.
 */
export class OtlpTracing implements Tracing {
  readonly #provider: BasicTracerProvider;
  readonly #tracer: Tracer;

  constructor(service: string, endpoint: string, log: Logger) {
    const warn = (message: string): void => log.warn({ reason: message }, 'cannot send spans');
    const quiet = (): void => undefined;
    diag.setLogger(
      { error: warn, warn: warn, info: quiet, debug: quiet, verbose: quiet },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
    const resource = resourceFromAttributes({
      'service.name': `bigtrace-${service}`,
      'service.version': VERSION,
      'service.instance.id': `${hostname()}-${process.pid}`,
    }).merge(detectResources({ detectors: [envDetector] }));
    const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_MS_MAX });
    this.#provider = new BasicTracerProvider({
      resource,
      spanProcessors: [new BatchSpanProcessor(exporter)],
    });
    this.#tracer = this.#provider.getTracer('bigtrace', VERSION);
  }

  start(name: string, under: TraceContext | undefined, fromMs = Date.now()): Span {
    const parent = propagator.extract(ROOT_CONTEXT, under ?? {}, FIELDS);
    const options = { kind: SpanKind.SERVER, startTime: fromMs };
    return new RecordedSpan(this.#tracer.startSpan(name, options, parent));
  }

  async close(): Promise<void> {
    await this.#provider.shutdown().catch((error: unknown) => diag.error(String(error)));
  }
}

class RecordedSpan implements Span {
  readonly #span: OtelSpan;

  constructor(span: OtelSpan) {
    this.#span = span;
  }

  get context(): TraceContext {
    const context = { traceparent: '' };
    propagator.inject(trace.setSpan(ROOT_CONTEXT, this.#span), context, FIELDS);
    return context;
  }

  end(attributes: SpanAttributes, error?: { code: string; message: string }): void {
    this.#span.setAttributes(attributes);
    if (error !== undefined) {
      this.#span.setAttribute('error.type', error.code);
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    this.#span.end();
  }
}

const FIELDS = {
  keys: (carrier: object): string[] => Object.keys(carrier),
  get: (carrier: object, key: string): string | undefined =>
    (carrier as Record<string, string>)[key],
  set: (carrier: object, key: string, value: string): void =>
    void Object.assign(carrier, { [key]: value }),
};
