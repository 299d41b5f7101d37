/** A typed client of the service `bigtrace.v1.Worker` of one worker. */
import type * as grpc from '@grpc/grpc-js';
import { fromServiceError } from '../../lib/common/call-errors.ts';
import type { Channel } from '../../lib/common/grpc-channel.ts';
import { RENEWED_CONNECTION } from '../../lib/common/network/renewed-channel.ts';
import { metadataOf, type TraceContext } from '../../lib/common/observability/tracing.ts';
import type {
  ListRequest,
  ListResponse,
  ReadTraceRequest,
  ReadTraceResponse,
  RunRequestInput,
  RunResponse,
  SourcesRequest,
  TraceSources,
  UnbarRequest,
  UnbarResponse,
  VocabularyRequest,
  VocabularyResponse,
  WorkerStatus,
} from '../../lib/proto/messages.ts';
import { BigtraceWorker, GRPC_OPTIONS } from '../../lib/proto/services.ts';

/** The part of a `Run` stream that the orchestrator uses. */
export interface WorkerStream {
  write(request: RunRequestInput): unknown;
  end(): unknown;
  cancel(): void;
  pause(): unknown;
  resume(): unknown;
  on(event: 'data', listener: (response: RunResponse) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'metadata' | 'end' | 'status', listener: () => void): unknown;
}

export interface WorkerClient {
  run(traceContext: TraceContext | undefined): WorkerStream;
  list(request: ListRequest): grpc.ClientReadableStream<ListResponse>;
  readTrace(request: ReadTraceRequest): grpc.ClientReadableStream<ReadTraceResponse>;
  vocabulary(request: VocabularyRequest): grpc.ClientReadableStream<VocabularyResponse>;
  /** @throws worker_lost when the worker does not respond within `timeoutMs` */
  status(timeoutMs: number): Promise<WorkerStatus>;
  /** @throws worker_lost when the worker does not respond within `timeoutMs` */
  unbar(request: UnbarRequest, timeoutMs: number): Promise<UnbarResponse>;
  /** @throws worker_lost when the worker does not respond; an error of its own if it is of an earlier version */
  /** @param signal ends the call */
  sources(request: SourcesRequest, timeoutMs: number, signal: AbortSignal): Promise<TraceSources>;
  close(): void;
}

/** Creates a client. @param timeoutMs time without a ping response after which a connection is closed */
export function connectWorker(address: string, timeoutMs: number, channel: Channel): WorkerClient {
  const stub = new BigtraceWorker(address, channel.credentials, {
    ...GRPC_OPTIONS,
    ...channel.options,
    ...RENEWED_CONNECTION,
    'grpc.keepalive_time_ms': timeoutMs,
    'grpc.keepalive_timeout_ms': timeoutMs,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 500,
    'grpc.enable_retries': 0, // retries are decided in retry.ts
  });
  return {
    run: (traceContext) => stub.Run(metadataOf(traceContext)),
    list: (request) => stub.List(request),
    readTrace: (request) => stub.ReadTrace(request),
    vocabulary: (request) => stub.Vocabulary(request),
    status: (statusTimeoutMs) =>
      new Promise((resolve, reject) => {
        const options = { deadline: Date.now() + statusTimeoutMs };
        stub.Status({}, options, (error, status) => {
          if (status !== undefined && error === null) resolve(status);
          else reject(fromServiceError(error, 'worker_lost'));
        });
      }),
    unbar: (request, unbarTimeoutMs) =>
      new Promise((resolve, reject) => {
        const options = { deadline: Date.now() + unbarTimeoutMs };
        stub.Unbar(request, options, (error, response) => {
          if (response !== undefined && error === null) resolve(response);
          else reject(fromServiceError(error, 'worker_lost'));
        });
      }),
    sources: (request, sourcesTimeoutMs, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const options = { deadline: Date.now() + sourcesTimeoutMs };
        const call = stub.Sources(request, options, (error, response) => {
          signal.removeEventListener('abort', cancel);
          if (response !== undefined && error === null) resolve(response);
          else reject(fromServiceError(error, 'worker_lost'));
        });
        const cancel = (): void => call.cancel();
        signal.addEventListener('abort', cancel, { once: true });
      }),
    close: () => stub.close(),
  };
}
