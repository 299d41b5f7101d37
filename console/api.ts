/** Client of the HTTP API, for the backend that served this page. */
import type {
  ConsoleState,
  FailureReason,
  Opener,
  Vocabulary,
} from '../http-api/contract/console.ts';
import type {
  MetadataColumn,
  Preset,
  WireExecution,
  WirePage,
  WireSetting,
  WireStatus,
} from '../http-api/contract/page.ts';

export interface ExecuteRequest {
  perfetto_sql: string;
  limit: number;
  settings: WireSetting[];
}

export interface PageRequest {
  limit: number;
  offset: number;
  order_by?: string;
}

export interface TracesRequest extends PageRequest {
  columns: string[];
  settings: WireSetting[];
}

export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

const TIMEOUT_MS = 60_000;
/** The event on the window when the service has refused a call because its user has not logged in. */
export const UNAUTHENTICATED = 'bigtrace-unauthenticated';

/** @throws ApiError with the backend's message */
async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(path, {
    method,
    headers: {
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw await errorOf(response);
  return response.json();
}

async function errorOf(response: Response): Promise<ApiError> {
  if (response.status === 401) dispatchEvent(new Event(UNAUTHENTICATED));
  const { detail } = (await response.json().catch(() => ({}))) as { detail?: string };
  return new ApiError(response.status, detail ?? `${response.status} ${response.statusText}`);
}

/** Reads a whole trace. @param id base64url of its address @throws ApiError with the backend's message */
async function trace(id: string, name: string): Promise<ArrayBuffer> {
  const path = `trace/${id}/${encodeURIComponent(name)}`;
  const response = await fetch(path);
  if (!response.ok) throw await errorOf(response);
  return response.arrayBuffer();
}

const execution = (uuid: string): string => `query_executions/${encodeURIComponent(uuid)}`;

// Paths are relative, because a proxy may serve the page below another path.
export const api = {
  state: () => call<ConsoleState>('GET', 'api/state'),
  failures: () => call<{ reasons: FailureReason[] }>('GET', 'api/failures'),
  cancel: (id: string) => call('POST', `api/queries/${encodeURIComponent(id)}/cancel`, {}),
  presets: () => call<{ tracePresets: Preset[] }>('GET', 'trace_presets'),
  execute: (request: ExecuteRequest) =>
    call<{ queryUuid: string }>('POST', 'execute_bigtrace_query_async', request),
  caller: () => call<{ user: string; isLogin: boolean }>('GET', 'api/caller'),
  logOut: () => call('POST', 'logout', {}),
  resetSession: () => call('POST', 'session/reset', {}),
  vocabulary: () => call<Vocabulary>('GET', 'api/vocabulary'),
  opener: () => call<Opener>('GET', 'api/opener'),
  trace,
  executions: () => call<{ queryExecutions: WireExecution[] }>('GET', 'query_executions'),
  execution: (uuid: string) => call<WireExecution>('GET', execution(uuid)),
  status: (uuid: string) => call<WireStatus>('GET', `${execution(uuid)}:status`),
  traces: (request: TracesRequest) =>
    call<Omit<WirePage, 'schema'>>('POST', 'trace_metadata', request),
  traceColumns: () => call<{ columns: MetadataColumn[] }>('POST', 'trace_metadata_schema', {}),
  page: (uuid: string, request: PageRequest) =>
    call<WirePage>('POST', `${execution(uuid)}:fetch_results`, request),
  remove: (uuid: string) => call('DELETE', `${execution(uuid)}?drop_table=true`),
};
