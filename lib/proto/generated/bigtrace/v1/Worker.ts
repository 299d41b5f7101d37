// Original file: bigtrace.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ListRequestInput as _bigtrace_v1_ListRequestInput, ListRequest as _bigtrace_v1_ListRequest } from '../../bigtrace/v1/ListRequest.ts';
import type { ListResponseInput as _bigtrace_v1_ListResponseInput, ListResponse as _bigtrace_v1_ListResponse } from '../../bigtrace/v1/ListResponse.ts';
import type { ReadTraceRequestInput as _bigtrace_v1_ReadTraceRequestInput, ReadTraceRequest as _bigtrace_v1_ReadTraceRequest } from '../../bigtrace/v1/ReadTraceRequest.ts';
import type { ReadTraceResponseInput as _bigtrace_v1_ReadTraceResponseInput, ReadTraceResponse as _bigtrace_v1_ReadTraceResponse } from '../../bigtrace/v1/ReadTraceResponse.ts';
import type { RunRequestInput as _bigtrace_v1_RunRequestInput, RunRequest as _bigtrace_v1_RunRequest } from '../../bigtrace/v1/RunRequest.ts';
import type { RunResponseInput as _bigtrace_v1_RunResponseInput, RunResponse as _bigtrace_v1_RunResponse } from '../../bigtrace/v1/RunResponse.ts';
import type { SourcesRequestInput as _bigtrace_v1_SourcesRequestInput, SourcesRequest as _bigtrace_v1_SourcesRequest } from '../../bigtrace/v1/SourcesRequest.ts';
import type { StatusRequestInput as _bigtrace_v1_StatusRequestInput, StatusRequest as _bigtrace_v1_StatusRequest } from '../../bigtrace/v1/StatusRequest.ts';
import type { TraceSourcesInput as _bigtrace_v1_TraceSourcesInput, TraceSources as _bigtrace_v1_TraceSources } from '../../bigtrace/v1/TraceSources.ts';
import type { UnbarRequestInput as _bigtrace_v1_UnbarRequestInput, UnbarRequest as _bigtrace_v1_UnbarRequest } from '../../bigtrace/v1/UnbarRequest.ts';
import type { UnbarResponseInput as _bigtrace_v1_UnbarResponseInput, UnbarResponse as _bigtrace_v1_UnbarResponse } from '../../bigtrace/v1/UnbarResponse.ts';
import type { VocabularyRequestInput as _bigtrace_v1_VocabularyRequestInput, VocabularyRequest as _bigtrace_v1_VocabularyRequest } from '../../bigtrace/v1/VocabularyRequest.ts';
import type { VocabularyResponseInput as _bigtrace_v1_VocabularyResponseInput, VocabularyResponse as _bigtrace_v1_VocabularyResponse } from '../../bigtrace/v1/VocabularyResponse.ts';
import type { WorkerStatusInput as _bigtrace_v1_WorkerStatusInput, WorkerStatus as _bigtrace_v1_WorkerStatus } from '../../bigtrace/v1/WorkerStatus.ts';

/**
 * A client may append a checksum to its messages, and then gets one with every response: the field 2000 (fixed32) with
 * the CRC-32 of the bytes in front of it. Orchestrators do (lib/proto/checked.ts); other clients need not.
 */
export interface WorkerClient extends grpc.Client {
  /**
   * Lists the traces that match patterns in this worker's stores.
   */
  List(argument: _bigtrace_v1_ListRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ListResponse>;
  List(argument: _bigtrace_v1_ListRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ListResponse>;
  /**
   * Lists the traces that match patterns in this worker's stores.
   */
  list(argument: _bigtrace_v1_ListRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ListResponse>;
  list(argument: _bigtrace_v1_ListRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ListResponse>;
  
  /**
   * Reads the bytes of a trace in this worker's stores.
   */
  ReadTrace(argument: _bigtrace_v1_ReadTraceRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ReadTraceResponse>;
  ReadTrace(argument: _bigtrace_v1_ReadTraceRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ReadTraceResponse>;
  /**
   * Reads the bytes of a trace in this worker's stores.
   */
  readTrace(argument: _bigtrace_v1_ReadTraceRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ReadTraceResponse>;
  readTrace(argument: _bigtrace_v1_ReadTraceRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ReadTraceResponse>;
  
  /**
   * Runs tasks of one query. The orchestrator assigns at most as many tasks as it has credits from the worker.
   */
  Run(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bigtrace_v1_RunRequestInput, _bigtrace_v1_RunResponse>;
  Run(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bigtrace_v1_RunRequestInput, _bigtrace_v1_RunResponse>;
  /**
   * Runs tasks of one query. The orchestrator assigns at most as many tasks as it has credits from the worker.
   */
  run(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bigtrace_v1_RunRequestInput, _bigtrace_v1_RunResponse>;
  run(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bigtrace_v1_RunRequestInput, _bigtrace_v1_RunResponse>;
  
  /**
   * Counts traces by the source that the script's results would come from. Runs nothing and loads nothing.
   */
  Sources(argument: _bigtrace_v1_SourcesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_TraceSources>): grpc.ClientUnaryCall;
  Sources(argument: _bigtrace_v1_SourcesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_TraceSources>): grpc.ClientUnaryCall;
  Sources(argument: _bigtrace_v1_SourcesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_TraceSources>): grpc.ClientUnaryCall;
  Sources(argument: _bigtrace_v1_SourcesRequestInput, callback: grpc.requestCallback<_bigtrace_v1_TraceSources>): grpc.ClientUnaryCall;
  /**
   * Counts traces by the source that the script's results would come from. Runs nothing and loads nothing.
   */
  sources(argument: _bigtrace_v1_SourcesRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_TraceSources>): grpc.ClientUnaryCall;
  sources(argument: _bigtrace_v1_SourcesRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_TraceSources>): grpc.ClientUnaryCall;
  sources(argument: _bigtrace_v1_SourcesRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_TraceSources>): grpc.ClientUnaryCall;
  sources(argument: _bigtrace_v1_SourcesRequestInput, callback: grpc.requestCallback<_bigtrace_v1_TraceSources>): grpc.ClientUnaryCall;
  
  Status(argument: _bigtrace_v1_StatusRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_WorkerStatus>): grpc.ClientUnaryCall;
  Status(argument: _bigtrace_v1_StatusRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_WorkerStatus>): grpc.ClientUnaryCall;
  Status(argument: _bigtrace_v1_StatusRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_WorkerStatus>): grpc.ClientUnaryCall;
  Status(argument: _bigtrace_v1_StatusRequestInput, callback: grpc.requestCallback<_bigtrace_v1_WorkerStatus>): grpc.ClientUnaryCall;
  status(argument: _bigtrace_v1_StatusRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_WorkerStatus>): grpc.ClientUnaryCall;
  status(argument: _bigtrace_v1_StatusRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_WorkerStatus>): grpc.ClientUnaryCall;
  status(argument: _bigtrace_v1_StatusRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_WorkerStatus>): grpc.ClientUnaryCall;
  status(argument: _bigtrace_v1_StatusRequestInput, callback: grpc.requestCallback<_bigtrace_v1_WorkerStatus>): grpc.ClientUnaryCall;
  
  /**
   * Clears the stored load errors of barred traces, so that they are loaded again.
   */
  Unbar(argument: _bigtrace_v1_UnbarRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  Unbar(argument: _bigtrace_v1_UnbarRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  Unbar(argument: _bigtrace_v1_UnbarRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  Unbar(argument: _bigtrace_v1_UnbarRequestInput, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  /**
   * Clears the stored load errors of barred traces, so that they are loaded again.
   */
  unbar(argument: _bigtrace_v1_UnbarRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  unbar(argument: _bigtrace_v1_UnbarRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  unbar(argument: _bigtrace_v1_UnbarRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  unbar(argument: _bigtrace_v1_UnbarRequestInput, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  
  /**
   * The tables, functions and modules that scripts can use on this worker's engine.
   */
  Vocabulary(argument: _bigtrace_v1_VocabularyRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_VocabularyResponse>;
  Vocabulary(argument: _bigtrace_v1_VocabularyRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_VocabularyResponse>;
  /**
   * The tables, functions and modules that scripts can use on this worker's engine.
   */
  vocabulary(argument: _bigtrace_v1_VocabularyRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_VocabularyResponse>;
  vocabulary(argument: _bigtrace_v1_VocabularyRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_VocabularyResponse>;
  
}

/**
 * A client may append a checksum to its messages, and then gets one with every response: the field 2000 (fixed32) with
 * the CRC-32 of the bytes in front of it. Orchestrators do (lib/proto/checked.ts); other clients need not.
 */
export interface WorkerHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Lists the traces that match patterns in this worker's stores.
   */
  List: grpc.handleServerStreamingCall<_bigtrace_v1_ListRequest, _bigtrace_v1_ListResponseInput>;
  
  /**
   * Reads the bytes of a trace in this worker's stores.
   */
  ReadTrace: grpc.handleServerStreamingCall<_bigtrace_v1_ReadTraceRequest, _bigtrace_v1_ReadTraceResponseInput>;
  
  /**
   * Runs tasks of one query. The orchestrator assigns at most as many tasks as it has credits from the worker.
   */
  Run: grpc.handleBidiStreamingCall<_bigtrace_v1_RunRequest, _bigtrace_v1_RunResponseInput>;
  
  /**
   * Counts traces by the source that the script's results would come from. Runs nothing and loads nothing.
   */
  Sources: grpc.handleUnaryCall<_bigtrace_v1_SourcesRequest, _bigtrace_v1_TraceSourcesInput>;
  
  Status: grpc.handleUnaryCall<_bigtrace_v1_StatusRequest, _bigtrace_v1_WorkerStatusInput>;
  
  /**
   * Clears the stored load errors of barred traces, so that they are loaded again.
   */
  Unbar: grpc.handleUnaryCall<_bigtrace_v1_UnbarRequest, _bigtrace_v1_UnbarResponseInput>;
  
  /**
   * The tables, functions and modules that scripts can use on this worker's engine.
   */
  Vocabulary: grpc.handleServerStreamingCall<_bigtrace_v1_VocabularyRequest, _bigtrace_v1_VocabularyResponseInput>;
  
}

export interface WorkerDefinition extends grpc.ServiceDefinition {
  List: MethodDefinition<_bigtrace_v1_ListRequestInput, _bigtrace_v1_ListResponseInput, _bigtrace_v1_ListRequest, _bigtrace_v1_ListResponse>
  ReadTrace: MethodDefinition<_bigtrace_v1_ReadTraceRequestInput, _bigtrace_v1_ReadTraceResponseInput, _bigtrace_v1_ReadTraceRequest, _bigtrace_v1_ReadTraceResponse>
  Run: MethodDefinition<_bigtrace_v1_RunRequestInput, _bigtrace_v1_RunResponseInput, _bigtrace_v1_RunRequest, _bigtrace_v1_RunResponse>
  Sources: MethodDefinition<_bigtrace_v1_SourcesRequestInput, _bigtrace_v1_TraceSourcesInput, _bigtrace_v1_SourcesRequest, _bigtrace_v1_TraceSources>
  Status: MethodDefinition<_bigtrace_v1_StatusRequestInput, _bigtrace_v1_WorkerStatusInput, _bigtrace_v1_StatusRequest, _bigtrace_v1_WorkerStatus>
  Unbar: MethodDefinition<_bigtrace_v1_UnbarRequestInput, _bigtrace_v1_UnbarResponseInput, _bigtrace_v1_UnbarRequest, _bigtrace_v1_UnbarResponse>
  Vocabulary: MethodDefinition<_bigtrace_v1_VocabularyRequestInput, _bigtrace_v1_VocabularyResponseInput, _bigtrace_v1_VocabularyRequest, _bigtrace_v1_VocabularyResponse>
}
