// Original file: bigtrace.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CancelRequestInput as _bigtrace_v1_CancelRequestInput, CancelRequest as _bigtrace_v1_CancelRequest } from '../../bigtrace/v1/CancelRequest.ts';
import type { CancelResponseInput as _bigtrace_v1_CancelResponseInput, CancelResponse as _bigtrace_v1_CancelResponse } from '../../bigtrace/v1/CancelResponse.ts';
import type { EstimateResponseInput as _bigtrace_v1_EstimateResponseInput, EstimateResponse as _bigtrace_v1_EstimateResponse } from '../../bigtrace/v1/EstimateResponse.ts';
import type { FailuresRequestInput as _bigtrace_v1_FailuresRequestInput, FailuresRequest as _bigtrace_v1_FailuresRequest } from '../../bigtrace/v1/FailuresRequest.ts';
import type { FailuresResponseInput as _bigtrace_v1_FailuresResponseInput, FailuresResponse as _bigtrace_v1_FailuresResponse } from '../../bigtrace/v1/FailuresResponse.ts';
import type { LearnRequestInput as _bigtrace_v1_LearnRequestInput, LearnRequest as _bigtrace_v1_LearnRequest } from '../../bigtrace/v1/LearnRequest.ts';
import type { LearnResponseInput as _bigtrace_v1_LearnResponseInput, LearnResponse as _bigtrace_v1_LearnResponse } from '../../bigtrace/v1/LearnResponse.ts';
import type { ListRequestInput as _bigtrace_v1_ListRequestInput, ListRequest as _bigtrace_v1_ListRequest } from '../../bigtrace/v1/ListRequest.ts';
import type { ListResponseInput as _bigtrace_v1_ListResponseInput, ListResponse as _bigtrace_v1_ListResponse } from '../../bigtrace/v1/ListResponse.ts';
import type { OrchestratorStatusInput as _bigtrace_v1_OrchestratorStatusInput, OrchestratorStatus as _bigtrace_v1_OrchestratorStatus } from '../../bigtrace/v1/OrchestratorStatus.ts';
import type { ProgressRequestInput as _bigtrace_v1_ProgressRequestInput, ProgressRequest as _bigtrace_v1_ProgressRequest } from '../../bigtrace/v1/ProgressRequest.ts';
import type { ProgressResponseInput as _bigtrace_v1_ProgressResponseInput, ProgressResponse as _bigtrace_v1_ProgressResponse } from '../../bigtrace/v1/ProgressResponse.ts';
import type { QueryRequestInput as _bigtrace_v1_QueryRequestInput, QueryRequest as _bigtrace_v1_QueryRequest } from '../../bigtrace/v1/QueryRequest.ts';
import type { QueryResponseInput as _bigtrace_v1_QueryResponseInput, QueryResponse as _bigtrace_v1_QueryResponse } from '../../bigtrace/v1/QueryResponse.ts';
import type { ReadTraceRequestInput as _bigtrace_v1_ReadTraceRequestInput, ReadTraceRequest as _bigtrace_v1_ReadTraceRequest } from '../../bigtrace/v1/ReadTraceRequest.ts';
import type { ReadTraceResponseInput as _bigtrace_v1_ReadTraceResponseInput, ReadTraceResponse as _bigtrace_v1_ReadTraceResponse } from '../../bigtrace/v1/ReadTraceResponse.ts';
import type { SchemaRequestInput as _bigtrace_v1_SchemaRequestInput, SchemaRequest as _bigtrace_v1_SchemaRequest } from '../../bigtrace/v1/SchemaRequest.ts';
import type { SchemaResponseInput as _bigtrace_v1_SchemaResponseInput, SchemaResponse as _bigtrace_v1_SchemaResponse } from '../../bigtrace/v1/SchemaResponse.ts';
import type { StatusRequestInput as _bigtrace_v1_StatusRequestInput, StatusRequest as _bigtrace_v1_StatusRequest } from '../../bigtrace/v1/StatusRequest.ts';
import type { UnbarRequestInput as _bigtrace_v1_UnbarRequestInput, UnbarRequest as _bigtrace_v1_UnbarRequest } from '../../bigtrace/v1/UnbarRequest.ts';
import type { UnbarResponseInput as _bigtrace_v1_UnbarResponseInput, UnbarResponse as _bigtrace_v1_UnbarResponse } from '../../bigtrace/v1/UnbarResponse.ts';
import type { VocabularyRequestInput as _bigtrace_v1_VocabularyRequestInput, VocabularyRequest as _bigtrace_v1_VocabularyRequest } from '../../bigtrace/v1/VocabularyRequest.ts';
import type { VocabularyResponseInput as _bigtrace_v1_VocabularyResponseInput, VocabularyResponse as _bigtrace_v1_VocabularyResponse } from '../../bigtrace/v1/VocabularyResponse.ts';

export interface OrchestratorClient extends grpc.Client {
  /**
   * Cancels running queries.
   */
  Cancel(argument: _bigtrace_v1_CancelRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_CancelResponse>): grpc.ClientUnaryCall;
  Cancel(argument: _bigtrace_v1_CancelRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_CancelResponse>): grpc.ClientUnaryCall;
  Cancel(argument: _bigtrace_v1_CancelRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_CancelResponse>): grpc.ClientUnaryCall;
  Cancel(argument: _bigtrace_v1_CancelRequestInput, callback: grpc.requestCallback<_bigtrace_v1_CancelResponse>): grpc.ClientUnaryCall;
  /**
   * Cancels running queries.
   */
  cancel(argument: _bigtrace_v1_CancelRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_CancelResponse>): grpc.ClientUnaryCall;
  cancel(argument: _bigtrace_v1_CancelRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_CancelResponse>): grpc.ClientUnaryCall;
  cancel(argument: _bigtrace_v1_CancelRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_CancelResponse>): grpc.ClientUnaryCall;
  cancel(argument: _bigtrace_v1_CancelRequestInput, callback: grpc.requestCallback<_bigtrace_v1_CancelResponse>): grpc.ClientUnaryCall;
  
  /**
   * Counts the traces of a query by the source that their results would come from, without running the script.
   */
  Estimate(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_EstimateResponse>): grpc.ClientWritableStream<_bigtrace_v1_QueryRequestInput>;
  Estimate(metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_EstimateResponse>): grpc.ClientWritableStream<_bigtrace_v1_QueryRequestInput>;
  Estimate(options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_EstimateResponse>): grpc.ClientWritableStream<_bigtrace_v1_QueryRequestInput>;
  Estimate(callback: grpc.requestCallback<_bigtrace_v1_EstimateResponse>): grpc.ClientWritableStream<_bigtrace_v1_QueryRequestInput>;
  /**
   * Counts the traces of a query by the source that their results would come from, without running the script.
   */
  estimate(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_EstimateResponse>): grpc.ClientWritableStream<_bigtrace_v1_QueryRequestInput>;
  estimate(metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_EstimateResponse>): grpc.ClientWritableStream<_bigtrace_v1_QueryRequestInput>;
  estimate(options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_EstimateResponse>): grpc.ClientWritableStream<_bigtrace_v1_QueryRequestInput>;
  estimate(callback: grpc.requestCallback<_bigtrace_v1_EstimateResponse>): grpc.ClientWritableStream<_bigtrace_v1_QueryRequestInput>;
  
  /**
   * Returns recent failures, newest query first; the failures of a query are in the order in which they occurred.
   */
  Failures(argument: _bigtrace_v1_FailuresRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_FailuresResponse>;
  Failures(argument: _bigtrace_v1_FailuresRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_FailuresResponse>;
  /**
   * Returns recent failures, newest query first; the failures of a query are in the order in which they occurred.
   */
  failures(argument: _bigtrace_v1_FailuresRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_FailuresResponse>;
  failures(argument: _bigtrace_v1_FailuresRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_FailuresResponse>;
  
  /**
   * Reports a value that did not fit the type that column finding chose, so that the next one considers it.
   */
  Learn(argument: _bigtrace_v1_LearnRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_LearnResponse>): grpc.ClientUnaryCall;
  Learn(argument: _bigtrace_v1_LearnRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_LearnResponse>): grpc.ClientUnaryCall;
  Learn(argument: _bigtrace_v1_LearnRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_LearnResponse>): grpc.ClientUnaryCall;
  Learn(argument: _bigtrace_v1_LearnRequestInput, callback: grpc.requestCallback<_bigtrace_v1_LearnResponse>): grpc.ClientUnaryCall;
  /**
   * Reports a value that did not fit the type that column finding chose, so that the next one considers it.
   */
  learn(argument: _bigtrace_v1_LearnRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_LearnResponse>): grpc.ClientUnaryCall;
  learn(argument: _bigtrace_v1_LearnRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_LearnResponse>): grpc.ClientUnaryCall;
  learn(argument: _bigtrace_v1_LearnRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_LearnResponse>): grpc.ClientUnaryCall;
  learn(argument: _bigtrace_v1_LearnRequestInput, callback: grpc.requestCallback<_bigtrace_v1_LearnResponse>): grpc.ClientUnaryCall;
  
  /**
   * Lists the traces that match patterns.
   */
  List(argument: _bigtrace_v1_ListRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ListResponse>;
  List(argument: _bigtrace_v1_ListRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ListResponse>;
  /**
   * Lists the traces that match patterns.
   */
  list(argument: _bigtrace_v1_ListRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ListResponse>;
  list(argument: _bigtrace_v1_ListRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ListResponse>;
  
  /**
   * The progress of a query that is running or has ended recently.
   */
  Progress(argument: _bigtrace_v1_ProgressRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_ProgressResponse>): grpc.ClientUnaryCall;
  Progress(argument: _bigtrace_v1_ProgressRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_ProgressResponse>): grpc.ClientUnaryCall;
  Progress(argument: _bigtrace_v1_ProgressRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_ProgressResponse>): grpc.ClientUnaryCall;
  Progress(argument: _bigtrace_v1_ProgressRequestInput, callback: grpc.requestCallback<_bigtrace_v1_ProgressResponse>): grpc.ClientUnaryCall;
  /**
   * The progress of a query that is running or has ended recently.
   */
  progress(argument: _bigtrace_v1_ProgressRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_ProgressResponse>): grpc.ClientUnaryCall;
  progress(argument: _bigtrace_v1_ProgressRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_ProgressResponse>): grpc.ClientUnaryCall;
  progress(argument: _bigtrace_v1_ProgressRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_ProgressResponse>): grpc.ClientUnaryCall;
  progress(argument: _bigtrace_v1_ProgressRequestInput, callback: grpc.requestCallback<_bigtrace_v1_ProgressResponse>): grpc.ClientUnaryCall;
  
  /**
   * Runs a query. The first message is `start`; later ones add traces; the client's half-close ends the list.
   */
  Query(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bigtrace_v1_QueryRequestInput, _bigtrace_v1_QueryResponse>;
  Query(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bigtrace_v1_QueryRequestInput, _bigtrace_v1_QueryResponse>;
  /**
   * Runs a query. The first message is `start`; later ones add traces; the client's half-close ends the list.
   */
  query(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_bigtrace_v1_QueryRequestInput, _bigtrace_v1_QueryResponse>;
  query(options?: grpc.CallOptions): grpc.ClientDuplexStream<_bigtrace_v1_QueryRequestInput, _bigtrace_v1_QueryResponse>;
  
  /**
   * The bytes of a trace, read by a worker.
   */
  ReadTrace(argument: _bigtrace_v1_ReadTraceRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ReadTraceResponse>;
  ReadTrace(argument: _bigtrace_v1_ReadTraceRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ReadTraceResponse>;
  /**
   * The bytes of a trace, read by a worker.
   */
  readTrace(argument: _bigtrace_v1_ReadTraceRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ReadTraceResponse>;
  readTrace(argument: _bigtrace_v1_ReadTraceRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_ReadTraceResponse>;
  
  /**
   * Finds the columns of a query by running its script on a few of the traces.
   */
  Schema(argument: _bigtrace_v1_SchemaRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_SchemaResponse>): grpc.ClientUnaryCall;
  Schema(argument: _bigtrace_v1_SchemaRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_SchemaResponse>): grpc.ClientUnaryCall;
  Schema(argument: _bigtrace_v1_SchemaRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_SchemaResponse>): grpc.ClientUnaryCall;
  Schema(argument: _bigtrace_v1_SchemaRequestInput, callback: grpc.requestCallback<_bigtrace_v1_SchemaResponse>): grpc.ClientUnaryCall;
  /**
   * Finds the columns of a query by running its script on a few of the traces.
   */
  schema(argument: _bigtrace_v1_SchemaRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_SchemaResponse>): grpc.ClientUnaryCall;
  schema(argument: _bigtrace_v1_SchemaRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_SchemaResponse>): grpc.ClientUnaryCall;
  schema(argument: _bigtrace_v1_SchemaRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_SchemaResponse>): grpc.ClientUnaryCall;
  schema(argument: _bigtrace_v1_SchemaRequestInput, callback: grpc.requestCallback<_bigtrace_v1_SchemaResponse>): grpc.ClientUnaryCall;
  
  Status(argument: _bigtrace_v1_StatusRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_OrchestratorStatus>): grpc.ClientUnaryCall;
  Status(argument: _bigtrace_v1_StatusRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_OrchestratorStatus>): grpc.ClientUnaryCall;
  Status(argument: _bigtrace_v1_StatusRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_OrchestratorStatus>): grpc.ClientUnaryCall;
  Status(argument: _bigtrace_v1_StatusRequestInput, callback: grpc.requestCallback<_bigtrace_v1_OrchestratorStatus>): grpc.ClientUnaryCall;
  status(argument: _bigtrace_v1_StatusRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_OrchestratorStatus>): grpc.ClientUnaryCall;
  status(argument: _bigtrace_v1_StatusRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_OrchestratorStatus>): grpc.ClientUnaryCall;
  status(argument: _bigtrace_v1_StatusRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_OrchestratorStatus>): grpc.ClientUnaryCall;
  status(argument: _bigtrace_v1_StatusRequestInput, callback: grpc.requestCallback<_bigtrace_v1_OrchestratorStatus>): grpc.ClientUnaryCall;
  
  /**
   * Clears the stored load errors of barred traces on every worker, so that they are loaded again.
   */
  Unbar(argument: _bigtrace_v1_UnbarRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  Unbar(argument: _bigtrace_v1_UnbarRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  Unbar(argument: _bigtrace_v1_UnbarRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  Unbar(argument: _bigtrace_v1_UnbarRequestInput, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  /**
   * Clears the stored load errors of barred traces on every worker, so that they are loaded again.
   */
  unbar(argument: _bigtrace_v1_UnbarRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  unbar(argument: _bigtrace_v1_UnbarRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  unbar(argument: _bigtrace_v1_UnbarRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  unbar(argument: _bigtrace_v1_UnbarRequestInput, callback: grpc.requestCallback<_bigtrace_v1_UnbarResponse>): grpc.ClientUnaryCall;
  
  /**
   * The tables, functions and modules that scripts can use on one of the fleet's engines.
   */
  Vocabulary(argument: _bigtrace_v1_VocabularyRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_VocabularyResponse>;
  Vocabulary(argument: _bigtrace_v1_VocabularyRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_VocabularyResponse>;
  /**
   * The tables, functions and modules that scripts can use on one of the fleet's engines.
   */
  vocabulary(argument: _bigtrace_v1_VocabularyRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_VocabularyResponse>;
  vocabulary(argument: _bigtrace_v1_VocabularyRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_bigtrace_v1_VocabularyResponse>;
  
}

export interface OrchestratorHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Cancels running queries.
   */
  Cancel: grpc.handleUnaryCall<_bigtrace_v1_CancelRequest, _bigtrace_v1_CancelResponseInput>;
  
  /**
   * Counts the traces of a query by the source that their results would come from, without running the script.
   */
  Estimate: grpc.handleClientStreamingCall<_bigtrace_v1_QueryRequest, _bigtrace_v1_EstimateResponseInput>;
  
  /**
   * Returns recent failures, newest query first; the failures of a query are in the order in which they occurred.
   */
  Failures: grpc.handleServerStreamingCall<_bigtrace_v1_FailuresRequest, _bigtrace_v1_FailuresResponseInput>;
  
  /**
   * Reports a value that did not fit the type that column finding chose, so that the next one considers it.
   */
  Learn: grpc.handleUnaryCall<_bigtrace_v1_LearnRequest, _bigtrace_v1_LearnResponseInput>;
  
  /**
   * Lists the traces that match patterns.
   */
  List: grpc.handleServerStreamingCall<_bigtrace_v1_ListRequest, _bigtrace_v1_ListResponseInput>;
  
  /**
   * The progress of a query that is running or has ended recently.
   */
  Progress: grpc.handleUnaryCall<_bigtrace_v1_ProgressRequest, _bigtrace_v1_ProgressResponseInput>;
  
  /**
   * Runs a query. The first message is `start`; later ones add traces; the client's half-close ends the list.
   */
  Query: grpc.handleBidiStreamingCall<_bigtrace_v1_QueryRequest, _bigtrace_v1_QueryResponseInput>;
  
  /**
   * The bytes of a trace, read by a worker.
   */
  ReadTrace: grpc.handleServerStreamingCall<_bigtrace_v1_ReadTraceRequest, _bigtrace_v1_ReadTraceResponseInput>;
  
  /**
   * Finds the columns of a query by running its script on a few of the traces.
   */
  Schema: grpc.handleUnaryCall<_bigtrace_v1_SchemaRequest, _bigtrace_v1_SchemaResponseInput>;
  
  Status: grpc.handleUnaryCall<_bigtrace_v1_StatusRequest, _bigtrace_v1_OrchestratorStatusInput>;
  
  /**
   * Clears the stored load errors of barred traces on every worker, so that they are loaded again.
   */
  Unbar: grpc.handleUnaryCall<_bigtrace_v1_UnbarRequest, _bigtrace_v1_UnbarResponseInput>;
  
  /**
   * The tables, functions and modules that scripts can use on one of the fleet's engines.
   */
  Vocabulary: grpc.handleServerStreamingCall<_bigtrace_v1_VocabularyRequest, _bigtrace_v1_VocabularyResponseInput>;
  
}

export interface OrchestratorDefinition extends grpc.ServiceDefinition {
  Cancel: MethodDefinition<_bigtrace_v1_CancelRequestInput, _bigtrace_v1_CancelResponseInput, _bigtrace_v1_CancelRequest, _bigtrace_v1_CancelResponse>
  Estimate: MethodDefinition<_bigtrace_v1_QueryRequestInput, _bigtrace_v1_EstimateResponseInput, _bigtrace_v1_QueryRequest, _bigtrace_v1_EstimateResponse>
  Failures: MethodDefinition<_bigtrace_v1_FailuresRequestInput, _bigtrace_v1_FailuresResponseInput, _bigtrace_v1_FailuresRequest, _bigtrace_v1_FailuresResponse>
  Learn: MethodDefinition<_bigtrace_v1_LearnRequestInput, _bigtrace_v1_LearnResponseInput, _bigtrace_v1_LearnRequest, _bigtrace_v1_LearnResponse>
  List: MethodDefinition<_bigtrace_v1_ListRequestInput, _bigtrace_v1_ListResponseInput, _bigtrace_v1_ListRequest, _bigtrace_v1_ListResponse>
  Progress: MethodDefinition<_bigtrace_v1_ProgressRequestInput, _bigtrace_v1_ProgressResponseInput, _bigtrace_v1_ProgressRequest, _bigtrace_v1_ProgressResponse>
  Query: MethodDefinition<_bigtrace_v1_QueryRequestInput, _bigtrace_v1_QueryResponseInput, _bigtrace_v1_QueryRequest, _bigtrace_v1_QueryResponse>
  ReadTrace: MethodDefinition<_bigtrace_v1_ReadTraceRequestInput, _bigtrace_v1_ReadTraceResponseInput, _bigtrace_v1_ReadTraceRequest, _bigtrace_v1_ReadTraceResponse>
  Schema: MethodDefinition<_bigtrace_v1_SchemaRequestInput, _bigtrace_v1_SchemaResponseInput, _bigtrace_v1_SchemaRequest, _bigtrace_v1_SchemaResponse>
  Status: MethodDefinition<_bigtrace_v1_StatusRequestInput, _bigtrace_v1_OrchestratorStatusInput, _bigtrace_v1_StatusRequest, _bigtrace_v1_OrchestratorStatus>
  Unbar: MethodDefinition<_bigtrace_v1_UnbarRequestInput, _bigtrace_v1_UnbarResponseInput, _bigtrace_v1_UnbarRequest, _bigtrace_v1_UnbarResponse>
  Vocabulary: MethodDefinition<_bigtrace_v1_VocabularyRequestInput, _bigtrace_v1_VocabularyResponseInput, _bigtrace_v1_VocabularyRequest, _bigtrace_v1_VocabularyResponse>
}
