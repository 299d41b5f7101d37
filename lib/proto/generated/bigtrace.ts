import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { AssignInput as _bigtrace_v1_AssignInput, Assign as _bigtrace_v1_Assign } from './bigtrace/v1/Assign.ts';
import type { BarredTraceInput as _bigtrace_v1_BarredTraceInput, BarredTrace as _bigtrace_v1_BarredTrace } from './bigtrace/v1/BarredTrace.ts';
import type { CancelRequestInput as _bigtrace_v1_CancelRequestInput, CancelRequest as _bigtrace_v1_CancelRequest } from './bigtrace/v1/CancelRequest.ts';
import type { CancelResponseInput as _bigtrace_v1_CancelResponseInput, CancelResponse as _bigtrace_v1_CancelResponse } from './bigtrace/v1/CancelResponse.ts';
import type { CancelTasksInput as _bigtrace_v1_CancelTasksInput, CancelTasks as _bigtrace_v1_CancelTasks } from './bigtrace/v1/CancelTasks.ts';
import type { ColumnInput as _bigtrace_v1_ColumnInput, Column as _bigtrace_v1_Column } from './bigtrace/v1/Column.ts';
import type { EstimateResponseInput as _bigtrace_v1_EstimateResponseInput, EstimateResponse as _bigtrace_v1_EstimateResponse } from './bigtrace/v1/EstimateResponse.ts';
import type { FailuresRequestInput as _bigtrace_v1_FailuresRequestInput, FailuresRequest as _bigtrace_v1_FailuresRequest } from './bigtrace/v1/FailuresRequest.ts';
import type { FailuresResponseInput as _bigtrace_v1_FailuresResponseInput, FailuresResponse as _bigtrace_v1_FailuresResponse } from './bigtrace/v1/FailuresResponse.ts';
import type { LearnRequestInput as _bigtrace_v1_LearnRequestInput, LearnRequest as _bigtrace_v1_LearnRequest } from './bigtrace/v1/LearnRequest.ts';
import type { LearnResponseInput as _bigtrace_v1_LearnResponseInput, LearnResponse as _bigtrace_v1_LearnResponse } from './bigtrace/v1/LearnResponse.ts';
import type { LimitsInput as _bigtrace_v1_LimitsInput, Limits as _bigtrace_v1_Limits } from './bigtrace/v1/Limits.ts';
import type { ListRequestInput as _bigtrace_v1_ListRequestInput, ListRequest as _bigtrace_v1_ListRequest } from './bigtrace/v1/ListRequest.ts';
import type { ListResponseInput as _bigtrace_v1_ListResponseInput, ListResponse as _bigtrace_v1_ListResponse } from './bigtrace/v1/ListResponse.ts';
import type { ListedTraceInput as _bigtrace_v1_ListedTraceInput, ListedTrace as _bigtrace_v1_ListedTrace } from './bigtrace/v1/ListedTrace.ts';
import type { OrchestratorClient as _bigtrace_v1_OrchestratorClient, OrchestratorDefinition as _bigtrace_v1_OrchestratorDefinition } from './bigtrace/v1/Orchestrator.ts';
import type { OrchestratorStatusInput as _bigtrace_v1_OrchestratorStatusInput, OrchestratorStatus as _bigtrace_v1_OrchestratorStatus } from './bigtrace/v1/OrchestratorStatus.ts';
import type { ProgressInput as _bigtrace_v1_ProgressInput, Progress as _bigtrace_v1_Progress } from './bigtrace/v1/Progress.ts';
import type { ProgressRequestInput as _bigtrace_v1_ProgressRequestInput, ProgressRequest as _bigtrace_v1_ProgressRequest } from './bigtrace/v1/ProgressRequest.ts';
import type { ProgressResponseInput as _bigtrace_v1_ProgressResponseInput, ProgressResponse as _bigtrace_v1_ProgressResponse } from './bigtrace/v1/ProgressResponse.ts';
import type { QueryEventInput as _bigtrace_v1_QueryEventInput, QueryEvent as _bigtrace_v1_QueryEvent } from './bigtrace/v1/QueryEvent.ts';
import type { QueryRequestInput as _bigtrace_v1_QueryRequestInput, QueryRequest as _bigtrace_v1_QueryRequest } from './bigtrace/v1/QueryRequest.ts';
import type { QueryResponseInput as _bigtrace_v1_QueryResponseInput, QueryResponse as _bigtrace_v1_QueryResponse } from './bigtrace/v1/QueryResponse.ts';
import type { QueryStartInput as _bigtrace_v1_QueryStartInput, QueryStart as _bigtrace_v1_QueryStart } from './bigtrace/v1/QueryStart.ts';
import type { QueryStateInput as _bigtrace_v1_QueryStateInput, QueryState as _bigtrace_v1_QueryState } from './bigtrace/v1/QueryState.ts';
import type { ReadTraceRequestInput as _bigtrace_v1_ReadTraceRequestInput, ReadTraceRequest as _bigtrace_v1_ReadTraceRequest } from './bigtrace/v1/ReadTraceRequest.ts';
import type { ReadTraceResponseInput as _bigtrace_v1_ReadTraceResponseInput, ReadTraceResponse as _bigtrace_v1_ReadTraceResponse } from './bigtrace/v1/ReadTraceResponse.ts';
import type { RecordedFailureInput as _bigtrace_v1_RecordedFailureInput, RecordedFailure as _bigtrace_v1_RecordedFailure } from './bigtrace/v1/RecordedFailure.ts';
import type { ReturnedInput as _bigtrace_v1_ReturnedInput, Returned as _bigtrace_v1_Returned } from './bigtrace/v1/Returned.ts';
import type { RunEventInput as _bigtrace_v1_RunEventInput, RunEvent as _bigtrace_v1_RunEvent } from './bigtrace/v1/RunEvent.ts';
import type { RunRequestInput as _bigtrace_v1_RunRequestInput, RunRequest as _bigtrace_v1_RunRequest } from './bigtrace/v1/RunRequest.ts';
import type { RunResponseInput as _bigtrace_v1_RunResponseInput, RunResponse as _bigtrace_v1_RunResponse } from './bigtrace/v1/RunResponse.ts';
import type { RunStartInput as _bigtrace_v1_RunStartInput, RunStart as _bigtrace_v1_RunStart } from './bigtrace/v1/RunStart.ts';
import type { RunningTraceInput as _bigtrace_v1_RunningTraceInput, RunningTrace as _bigtrace_v1_RunningTrace } from './bigtrace/v1/RunningTrace.ts';
import type { SchemaRequestInput as _bigtrace_v1_SchemaRequestInput, SchemaRequest as _bigtrace_v1_SchemaRequest } from './bigtrace/v1/SchemaRequest.ts';
import type { SchemaResponseInput as _bigtrace_v1_SchemaResponseInput, SchemaResponse as _bigtrace_v1_SchemaResponse } from './bigtrace/v1/SchemaResponse.ts';
import type { SourceTraceInput as _bigtrace_v1_SourceTraceInput, SourceTrace as _bigtrace_v1_SourceTrace } from './bigtrace/v1/SourceTrace.ts';
import type { SourcesRequestInput as _bigtrace_v1_SourcesRequestInput, SourcesRequest as _bigtrace_v1_SourcesRequest } from './bigtrace/v1/SourcesRequest.ts';
import type { StatesInput as _bigtrace_v1_StatesInput, States as _bigtrace_v1_States } from './bigtrace/v1/States.ts';
import type { StatusRequestInput as _bigtrace_v1_StatusRequestInput, StatusRequest as _bigtrace_v1_StatusRequest } from './bigtrace/v1/StatusRequest.ts';
import type { TaskInput as _bigtrace_v1_TaskInput, Task as _bigtrace_v1_Task } from './bigtrace/v1/Task.ts';
import type { TaskFailureInput as _bigtrace_v1_TaskFailureInput, TaskFailure as _bigtrace_v1_TaskFailure } from './bigtrace/v1/TaskFailure.ts';
import type { TaskRowsInput as _bigtrace_v1_TaskRowsInput, TaskRows as _bigtrace_v1_TaskRows } from './bigtrace/v1/TaskRows.ts';
import type { TaskStateInput as _bigtrace_v1_TaskStateInput, TaskState as _bigtrace_v1_TaskState } from './bigtrace/v1/TaskState.ts';
import type { TaskStatsInput as _bigtrace_v1_TaskStatsInput, TaskStats as _bigtrace_v1_TaskStats } from './bigtrace/v1/TaskStats.ts';
import type { TaskTypesInput as _bigtrace_v1_TaskTypesInput, TaskTypes as _bigtrace_v1_TaskTypes } from './bigtrace/v1/TaskTypes.ts';
import type { TraceFailureInput as _bigtrace_v1_TraceFailureInput, TraceFailure as _bigtrace_v1_TraceFailure } from './bigtrace/v1/TraceFailure.ts';
import type { TraceRowsInput as _bigtrace_v1_TraceRowsInput, TraceRows as _bigtrace_v1_TraceRows } from './bigtrace/v1/TraceRows.ts';
import type { TraceSourcesInput as _bigtrace_v1_TraceSourcesInput, TraceSources as _bigtrace_v1_TraceSources } from './bigtrace/v1/TraceSources.ts';
import type { TracesInput as _bigtrace_v1_TracesInput, Traces as _bigtrace_v1_Traces } from './bigtrace/v1/Traces.ts';
import type { UnbarRequestInput as _bigtrace_v1_UnbarRequestInput, UnbarRequest as _bigtrace_v1_UnbarRequest } from './bigtrace/v1/UnbarRequest.ts';
import type { UnbarResponseInput as _bigtrace_v1_UnbarResponseInput, UnbarResponse as _bigtrace_v1_UnbarResponse } from './bigtrace/v1/UnbarResponse.ts';
import type { VocabularyColumnInput as _bigtrace_v1_VocabularyColumnInput, VocabularyColumn as _bigtrace_v1_VocabularyColumn } from './bigtrace/v1/VocabularyColumn.ts';
import type { VocabularyFunctionInput as _bigtrace_v1_VocabularyFunctionInput, VocabularyFunction as _bigtrace_v1_VocabularyFunction } from './bigtrace/v1/VocabularyFunction.ts';
import type { VocabularyModuleInput as _bigtrace_v1_VocabularyModuleInput, VocabularyModule as _bigtrace_v1_VocabularyModule } from './bigtrace/v1/VocabularyModule.ts';
import type { VocabularyRequestInput as _bigtrace_v1_VocabularyRequestInput, VocabularyRequest as _bigtrace_v1_VocabularyRequest } from './bigtrace/v1/VocabularyRequest.ts';
import type { VocabularyResponseInput as _bigtrace_v1_VocabularyResponseInput, VocabularyResponse as _bigtrace_v1_VocabularyResponse } from './bigtrace/v1/VocabularyResponse.ts';
import type { VocabularyTableInput as _bigtrace_v1_VocabularyTableInput, VocabularyTable as _bigtrace_v1_VocabularyTable } from './bigtrace/v1/VocabularyTable.ts';
import type { WithdrawInput as _bigtrace_v1_WithdrawInput, Withdraw as _bigtrace_v1_Withdraw } from './bigtrace/v1/Withdraw.ts';
import type { WorkerClient as _bigtrace_v1_WorkerClient, WorkerDefinition as _bigtrace_v1_WorkerDefinition } from './bigtrace/v1/Worker.ts';
import type { WorkerStateInput as _bigtrace_v1_WorkerStateInput, WorkerState as _bigtrace_v1_WorkerState } from './bigtrace/v1/WorkerState.ts';
import type { WorkerStatusInput as _bigtrace_v1_WorkerStatusInput, WorkerStatus as _bigtrace_v1_WorkerStatus } from './bigtrace/v1/WorkerStatus.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  bigtrace: {
    v1: {
      Assign: MessageTypeDefinition<_bigtrace_v1_AssignInput, _bigtrace_v1_Assign>
      BarredTrace: MessageTypeDefinition<_bigtrace_v1_BarredTraceInput, _bigtrace_v1_BarredTrace>
      CancelRequest: MessageTypeDefinition<_bigtrace_v1_CancelRequestInput, _bigtrace_v1_CancelRequest>
      CancelResponse: MessageTypeDefinition<_bigtrace_v1_CancelResponseInput, _bigtrace_v1_CancelResponse>
      CancelTasks: MessageTypeDefinition<_bigtrace_v1_CancelTasksInput, _bigtrace_v1_CancelTasks>
      Column: MessageTypeDefinition<_bigtrace_v1_ColumnInput, _bigtrace_v1_Column>
      EstimateResponse: MessageTypeDefinition<_bigtrace_v1_EstimateResponseInput, _bigtrace_v1_EstimateResponse>
      FailuresRequest: MessageTypeDefinition<_bigtrace_v1_FailuresRequestInput, _bigtrace_v1_FailuresRequest>
      FailuresResponse: MessageTypeDefinition<_bigtrace_v1_FailuresResponseInput, _bigtrace_v1_FailuresResponse>
      LearnRequest: MessageTypeDefinition<_bigtrace_v1_LearnRequestInput, _bigtrace_v1_LearnRequest>
      LearnResponse: MessageTypeDefinition<_bigtrace_v1_LearnResponseInput, _bigtrace_v1_LearnResponse>
      Limits: MessageTypeDefinition<_bigtrace_v1_LimitsInput, _bigtrace_v1_Limits>
      ListRequest: MessageTypeDefinition<_bigtrace_v1_ListRequestInput, _bigtrace_v1_ListRequest>
      ListResponse: MessageTypeDefinition<_bigtrace_v1_ListResponseInput, _bigtrace_v1_ListResponse>
      ListedTrace: MessageTypeDefinition<_bigtrace_v1_ListedTraceInput, _bigtrace_v1_ListedTrace>
      OnFailure: EnumTypeDefinition
      Orchestrator: SubtypeConstructor<typeof grpc.Client, _bigtrace_v1_OrchestratorClient> & { service: _bigtrace_v1_OrchestratorDefinition }
      OrchestratorStatus: MessageTypeDefinition<_bigtrace_v1_OrchestratorStatusInput, _bigtrace_v1_OrchestratorStatus>
      Progress: MessageTypeDefinition<_bigtrace_v1_ProgressInput, _bigtrace_v1_Progress>
      ProgressRequest: MessageTypeDefinition<_bigtrace_v1_ProgressRequestInput, _bigtrace_v1_ProgressRequest>
      ProgressResponse: MessageTypeDefinition<_bigtrace_v1_ProgressResponseInput, _bigtrace_v1_ProgressResponse>
      QueryEvent: MessageTypeDefinition<_bigtrace_v1_QueryEventInput, _bigtrace_v1_QueryEvent>
      QueryRequest: MessageTypeDefinition<_bigtrace_v1_QueryRequestInput, _bigtrace_v1_QueryRequest>
      QueryResponse: MessageTypeDefinition<_bigtrace_v1_QueryResponseInput, _bigtrace_v1_QueryResponse>
      QueryStart: MessageTypeDefinition<_bigtrace_v1_QueryStartInput, _bigtrace_v1_QueryStart>
      QueryState: MessageTypeDefinition<_bigtrace_v1_QueryStateInput, _bigtrace_v1_QueryState>
      ReadTraceRequest: MessageTypeDefinition<_bigtrace_v1_ReadTraceRequestInput, _bigtrace_v1_ReadTraceRequest>
      ReadTraceResponse: MessageTypeDefinition<_bigtrace_v1_ReadTraceResponseInput, _bigtrace_v1_ReadTraceResponse>
      RecordedFailure: MessageTypeDefinition<_bigtrace_v1_RecordedFailureInput, _bigtrace_v1_RecordedFailure>
      Returned: MessageTypeDefinition<_bigtrace_v1_ReturnedInput, _bigtrace_v1_Returned>
      RunEvent: MessageTypeDefinition<_bigtrace_v1_RunEventInput, _bigtrace_v1_RunEvent>
      RunMode: EnumTypeDefinition
      RunRequest: MessageTypeDefinition<_bigtrace_v1_RunRequestInput, _bigtrace_v1_RunRequest>
      RunResponse: MessageTypeDefinition<_bigtrace_v1_RunResponseInput, _bigtrace_v1_RunResponse>
      RunStart: MessageTypeDefinition<_bigtrace_v1_RunStartInput, _bigtrace_v1_RunStart>
      RunningTrace: MessageTypeDefinition<_bigtrace_v1_RunningTraceInput, _bigtrace_v1_RunningTrace>
      SchemaRequest: MessageTypeDefinition<_bigtrace_v1_SchemaRequestInput, _bigtrace_v1_SchemaRequest>
      SchemaResponse: MessageTypeDefinition<_bigtrace_v1_SchemaResponseInput, _bigtrace_v1_SchemaResponse>
      SourceTrace: MessageTypeDefinition<_bigtrace_v1_SourceTraceInput, _bigtrace_v1_SourceTrace>
      SourcesRequest: MessageTypeDefinition<_bigtrace_v1_SourcesRequestInput, _bigtrace_v1_SourcesRequest>
      States: MessageTypeDefinition<_bigtrace_v1_StatesInput, _bigtrace_v1_States>
      StatusRequest: MessageTypeDefinition<_bigtrace_v1_StatusRequestInput, _bigtrace_v1_StatusRequest>
      Task: MessageTypeDefinition<_bigtrace_v1_TaskInput, _bigtrace_v1_Task>
      TaskFailure: MessageTypeDefinition<_bigtrace_v1_TaskFailureInput, _bigtrace_v1_TaskFailure>
      TaskPhase: EnumTypeDefinition
      TaskRows: MessageTypeDefinition<_bigtrace_v1_TaskRowsInput, _bigtrace_v1_TaskRows>
      TaskState: MessageTypeDefinition<_bigtrace_v1_TaskStateInput, _bigtrace_v1_TaskState>
      TaskStats: MessageTypeDefinition<_bigtrace_v1_TaskStatsInput, _bigtrace_v1_TaskStats>
      TaskTypes: MessageTypeDefinition<_bigtrace_v1_TaskTypesInput, _bigtrace_v1_TaskTypes>
      TraceFailure: MessageTypeDefinition<_bigtrace_v1_TraceFailureInput, _bigtrace_v1_TraceFailure>
      TraceRows: MessageTypeDefinition<_bigtrace_v1_TraceRowsInput, _bigtrace_v1_TraceRows>
      TraceSources: MessageTypeDefinition<_bigtrace_v1_TraceSourcesInput, _bigtrace_v1_TraceSources>
      Traces: MessageTypeDefinition<_bigtrace_v1_TracesInput, _bigtrace_v1_Traces>
      UnbarRequest: MessageTypeDefinition<_bigtrace_v1_UnbarRequestInput, _bigtrace_v1_UnbarRequest>
      UnbarResponse: MessageTypeDefinition<_bigtrace_v1_UnbarResponseInput, _bigtrace_v1_UnbarResponse>
      VocabularyColumn: MessageTypeDefinition<_bigtrace_v1_VocabularyColumnInput, _bigtrace_v1_VocabularyColumn>
      VocabularyFunction: MessageTypeDefinition<_bigtrace_v1_VocabularyFunctionInput, _bigtrace_v1_VocabularyFunction>
      VocabularyModule: MessageTypeDefinition<_bigtrace_v1_VocabularyModuleInput, _bigtrace_v1_VocabularyModule>
      VocabularyRequest: MessageTypeDefinition<_bigtrace_v1_VocabularyRequestInput, _bigtrace_v1_VocabularyRequest>
      VocabularyResponse: MessageTypeDefinition<_bigtrace_v1_VocabularyResponseInput, _bigtrace_v1_VocabularyResponse>
      VocabularyTable: MessageTypeDefinition<_bigtrace_v1_VocabularyTableInput, _bigtrace_v1_VocabularyTable>
      Withdraw: MessageTypeDefinition<_bigtrace_v1_WithdrawInput, _bigtrace_v1_Withdraw>
      /**
       * A client may append a checksum to its messages, and then gets one with every response: the field 2000 (fixed32) with
       * the CRC-32 of the bytes in front of it. Orchestrators do (lib/proto/checked.ts); other clients need not.
       */
      Worker: SubtypeConstructor<typeof grpc.Client, _bigtrace_v1_WorkerClient> & { service: _bigtrace_v1_WorkerDefinition }
      WorkerState: MessageTypeDefinition<_bigtrace_v1_WorkerStateInput, _bigtrace_v1_WorkerState>
      WorkerStatus: MessageTypeDefinition<_bigtrace_v1_WorkerStatusInput, _bigtrace_v1_WorkerStatus>
    }
  }
}

