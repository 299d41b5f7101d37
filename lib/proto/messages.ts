/** Types of the messages of `bigtrace.proto` and `perfetto.proto`, as proto-loader decodes them. */

export type OnFailure = 'STRICT' | 'LENIENT';
export type RunMode = 'ROWS' | 'TYPES';

export interface Limits {
  timeoutMs: number;
  resultRowsMax: number;
  resultBytesMax: number;
  traceBytesMax: number;
  memoryBytesMax: number;
}

export interface QueryStart {
  queryId: string;
  sql: Buffer;
  onFailure: OnFailure;
  limits?: Partial<Limits> | null;
  user: string;
  progressIntervalMs: number;
}

export interface QueryRequest {
  start?: QueryStart;
  traces?: { address: Buffer[] };
  step?: 'start' | 'traces';
}

export interface TraceRows {
  trace: Buffer;
  result: Buffer;
  last: boolean;
}

export interface TraceFailure {
  trace: Buffer;
  code: string;
  message: string;
  attempts: number;
}

export interface Progress {
  tracesTotal: number;
  totalIsFinal: boolean;
  tracesDone: number;
  tracesFailed: number;
  rows: number;
  resultBytes: number;
  traceBytes: number;
  elapsedMs: number;
  /** The traces that have run longest. Absent: none. */
  running?: RunningTrace[];
}

/** What a worker is doing with a trace. */
export type TaskPhase = 'QUEUED' | 'READING' | 'PARSING' | 'RUNNING_SQL';

export interface RunningTrace {
  trace: Buffer;
  phase: TaskPhase;
  /** Time in this phase. */
  phaseMs: number;
  /** Time since the worker received the task. */
  totalMs: number;
  queryId: string;
  user: string;
  /** Address of the worker, set by the orchestrator; absent or empty in a worker's own status. */
  worker?: string;
  mode: RunMode;
}

export interface BarredTrace {
  trace: Buffer;
  generation: string;
  code: string;
  message: string;
  barredMs: number;
}

export interface UnbarRequest {
  trace: Buffer[];
  all: boolean;
}

export interface UnbarResponse {
  lifted: number;
  /** Workers that did not respond to the orchestrator. Absent: none. */
  unreached?: string[];
}

export interface QueryEvent {
  rows?: TraceRows;
  failure?: TraceFailure;
  progress?: Progress;
  event?: 'rows' | 'failure' | 'progress';
}

export interface QueryResponse {
  event: QueryEvent[];
}

export interface SchemaRequest {
  queryId: string;
  sql: Buffer;
  address: Buffer[];
  user: string;
  limits?: Partial<Limits> | null;
  onFailure: OnFailure;
  again?: boolean;
}

export interface Column {
  name: Buffer;
  /** Set of bits `1 << CellType`. */
  cellKinds: number;
  possibleKinds?: number;
  learnedKinds?: number;
}

export interface LearnRequest {
  user: string;
  sql: Buffer;
  column: number;
  kinds: number;
  /** `addressesDigest` of the addresses in the SchemaRequest. */
  tracesDigest: Buffer;
}

export interface SchemaResponse {
  column: Column[];
  tracesSampled: number;
}

export interface ListRequest {
  pattern: Buffer[];
  limit: number;
}

export interface ListedTrace {
  address: Buffer;
  size: number;
  generation: string;
  modifiedMs: number;
}

export interface ListResponse {
  trace: ListedTrace[];
}

export type WorkerConnection = 'connecting' | 'ready' | 'draining' | 'lost';

export interface WorkerState {
  address: string;
  state: WorkerConnection;
  status: WorkerStatus | null;
}

export interface OrchestratorStatus {
  version: string;
  worker: WorkerState[];
  queriesRunning: number;
  counters: Record<string, number>;
  gauges: Record<string, number>;
  query: QueryState[];
}

export interface QueryState {
  queryId: string;
  user: string;
  startedMs: number;
  progress: Progress | null;
}

export interface FailuresRequest {
  queryId: string;
  limit: number;
}

export interface RecordedFailure {
  queryId: string;
  user: string;
  trace: Buffer;
  code: string;
  message: string;
  attempts: number;
  timeMs: number;
}

export interface FailuresResponse {
  failure: RecordedFailure[];
}

export interface CancelRequest {
  queryId: string;
}

export interface CancelResponse {
  cancelled: number;
}

export interface ReadTraceRequest {
  address: Buffer;
  generation: string;
  offset: number;
  /** 0: up to the end of the trace. */
  length: number;
}

export interface ReadTraceResponse {
  data: Buffer;
}

export interface RunStart {
  queryId: string;
  sql: Buffer;
  limits?: Partial<Limits> | null;
  mode: RunMode;
  /** Absent: none. */
  credits?: number;
  /** Absent or empty: unknown. */
  user?: string;
}

export interface Task {
  id: number;
  trace: Buffer;
  /** As this query's listing reported it. Absent or empty: not known. */
  generation?: string;
}

export interface RunRequest {
  start?: RunStart;
  assign?: { task: Task[] };
  withdraw?: { id: number[] };
  cancel?: { id: number[] };
  step?: 'start' | 'assign' | 'withdraw' | 'cancel';
}

/** Where a task's rows came from, cheapest first; `image` is a snapshot. */
export type Tier = 'result' | 'resident' | 'image' | 'parse';

export interface TaskStats {
  rows: number;
  traceBytes: number;
  loadMs: number;
  queryMs: number;
  tier: Tier;
}

export interface TaskRows {
  id: number;
  result: Buffer;
  last: boolean;
  stats?: TaskStats | null;
}

export interface TaskTypes {
  id: number;
  column: Column[];
  stats?: TaskStats | null;
}

export interface TaskFailure {
  id: number;
  code: string;
  message: string;
  /** Time on its engine thread. Absent: none. */
  threadMs?: number;
}

export interface TaskState {
  id: number;
  phase: TaskPhase;
  phaseMs: number;
  /** Time on its engine thread so far. */
  threadMs: number;
}

export interface RunEvent {
  credits?: number;
  rows?: TaskRows;
  types?: TaskTypes;
  failure?: TaskFailure;
  returned?: { id: number[] };
  draining?: boolean;
  states?: { state: TaskState[] };
  event?: 'credits' | 'rows' | 'types' | 'failure' | 'returned' | 'draining' | 'states';
}

export interface RunResponse {
  event: RunEvent[];
}

export interface WorkerStatus {
  version: string;
  engine: string;
  threads: number;
  tasksRunning: number;
  tasksQueued: number;
  uptimeMs: number;
  draining: boolean;
  counters: Record<string, number>;
  gauges: Record<string, number>;
  /** Absent: none. */
  sqlPackage?: string[];
  /** ID of the worker's snapshot directory. Absent or empty: it has none. */
  cacheId?: string;
  /** Absent: none. */
  firstCredits?: number;
  /** The traces that have run longest. Absent: none. */
  running?: RunningTrace[];
  /** The traces barred last, newest first. Absent: none. */
  barred?: BarredTrace[];
  /** Number of barred traces, including those that `barred` does not list. Absent: none. */
  barredTotal?: number;
  /** Directories that an absolute `/local` path may begin with. Absent: none. */
  localRoot?: Buffer[];
}

// ---- perfetto.protos

export interface BigtraceQueryArgs {
  traces: Buffer[];
  sqlQuery: Buffer;
}

export interface BigtraceQueryResponse {
  trace: Buffer;
  result: Buffer[];
}

export interface BigtraceQueryTraceArgs {
  trace: Buffer;
  sqlQuery: Buffer;
}

export interface BigtraceQueryTraceResponse {
  trace: Buffer;
  result: Buffer[];
}
