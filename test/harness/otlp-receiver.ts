/** A minimal OpenTelemetry collector: receives spans over HTTP as protobuf. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import protobuf from 'protobufjs';

/** The fields of opentelemetry-proto's trace.proto that the tests check. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1;
    bytes span_id = 2;
    bytes parent_span_id = 4;
    string name = 5;
    fixed64 start_time_unix_nano = 7;
    fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9;
    Status status = 15;
  }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; int64 int_value = 3; double double_value = 4; } }
`);
const Request = root.lookupType('Request');

interface KeyValue {
  key: string;
  value: Record<string, string | number>;
}

interface Received {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: {
      spans: {
        traceId: Buffer;
        spanId: Buffer;
        parentSpanId?: Buffer;
        name: string;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        attributes: KeyValue[];
        status?: { message?: string; code?: number };
      }[];
    }[];
  }[];
}

export interface ReceivedSpan {
  /** The resource attribute `service.name`. */
  service: string;
  name: string;
  traceId: string;
  spanId: string;
  /** Span ID of the parent; empty if there is none. */
  parent: string;
  tookMs: number;
  attributes: Record<string, string | number>;
  /** Message of a span with an error; else undefined. */
  error: string | undefined;
}

export interface OtlpReceiver extends AsyncDisposable {
  url: string;
  spans: ReceivedSpan[];
}

export async function startReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const server = createServer(async (request, response) => {
    const known = request.method === 'POST' && request.url === '/v1/traces';
    if (known) spans.push(...spansOf(await buffer(request)));
    response.writeHead(known ? 200 : 404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function spansOf(body: Buffer): ReceivedSpan[] {
  const options = { longs: String };
  const { resourceSpans } = Request.toObject(Request.decode(body), options) as Received;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service: String(attributesOf(resource.attributes)['service.name']),
        name: span.name,
        traceId: span.traceId.toString('hex'),
        spanId: span.spanId.toString('hex'),
        parent: span.parentSpanId?.toString('hex') ?? '',
        tookMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
        attributes: attributesOf(span.attributes),
        error: span.status?.code === 2 ? span.status.message : undefined,
      })),
    ),
  );
}

function attributesOf(list: KeyValue[] = []): Record<string, string | number> {
  return Object.fromEntries(
    list.map(({ key, value: { intValue, doubleValue, stringValue } }) => [
      key,
      intValue === undefined ? (doubleValue ?? stringValue ?? '') : Number(intValue),
    ]),
  );
}
