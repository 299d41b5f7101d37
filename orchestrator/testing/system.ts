/** Runs an orchestrator over stub workers, and a client of it, for tests. */
import * as grpc from '@grpc/grpc-js';
import { fromServiceError } from '../../lib/common/grpc-errors.ts';
import { createLogger } from '../../lib/common/observability/log.ts';
import { PLAINTEXT_SERVER } from '../../lib/common/options/server-security-options.ts';
import type {
  BigtraceQueryArgs,
  BigtraceQueryResponse,
  CancelRequest,
  CancelResponse,
  FailuresRequest,
  FailuresResponse,
  LearnRequest,
  ListRequest,
  ListResponse,
  OrchestratorStatus,
  QueryEvent,
  QueryRequest,
  QueryResponse,
  QueryStart,
  RecordedFailure,
  SchemaRequest,
  SchemaResponse,
  UnbarRequest,
  UnbarResponse,
} from '../../lib/proto/messages.ts';
import {
  bigtraceOrchestrator,
  clientClass,
  GRPC_OPTIONS,
  perfettoOrchestrator,
} from '../../lib/proto/services.ts';
import type { OrchestratorConfig } from '../config.ts';
import type { FleetOptions } from '../fleet/fleet.ts';
import { type RunningOrchestrator, startOrchestrator } from '../start.ts';
import { type StubOptions, StubWorker } from './stub-worker.ts';

export type QueryCall = grpc.ClientDuplexStream<QueryRequest, QueryResponse>;
type Callback<T> = (error: grpc.ServiceError | null, reply?: T) => void;

interface Stub extends grpc.Client {
  Query(): QueryCall;
  Schema(request: SchemaRequest, done: Callback<SchemaResponse>): grpc.ClientUnaryCall;
  List(request: ListRequest): grpc.ClientReadableStream<ListResponse>;
  Status(request: object, done: Callback<OrchestratorStatus>): void;
  Failures(request: FailuresRequest): grpc.ClientReadableStream<FailuresResponse>;
  Cancel(request: CancelRequest, done: Callback<CancelResponse>): void;
  Unbar(request: UnbarRequest, done: Callback<UnbarResponse>): void;
  Learn(request: LearnRequest, done: Callback<object>): void;
}

interface UpstreamStub extends grpc.Client {
  Query(request: BigtraceQueryArgs): grpc.ClientReadableStream<BigtraceQueryResponse>;
}

const DEFAULTS: OrchestratorConfig = {
  ...{ edge: PLAINTEXT_SERVER, workerCredentials: {} },
  ...{ socket: '127.0.0.1:0', workers: [], resolveIntervalMs: 50, workerTimeoutMs: 1000 },
  ...{ workerWaitMs: 1000, tracesInFlightMax: 0, hedgeAfterMs: 0, queryTimeoutMs: 60_000 },
  ...{ queryTimeoutMsMax: 60_000, queriesMax: 64, drainTimeoutMs: 1000 },
  ...{ userQueriesMax: 64, userResultBytesMax: 0, userCoreSecondsMax: 0 },
  ...{ schemasMax: 64, userSchemasMax: 64 },
  ...{
    clickhouseUrl: undefined,
    servicePasswordFile: undefined,
    http: undefined,
    json: false,
    logLevel: 'silent',
  },
};

/** Generous timeout of `expect.poll` for events that occur at once on an idle machine. */
export const SOON = { timeout: 20_000 };

type TestConfig = Partial<OrchestratorConfig> & Pick<FleetOptions, 'resolve'>;

export class TestSystem {
  readonly workers: StubWorker[];
  readonly #config: TestConfig;
  orchestrator: RunningOrchestrator | undefined;
  #client: Stub | undefined;
  #upstream: UpstreamStub | undefined;

  constructor(workers: StubOptions[], config: TestConfig = {}) {
    this.workers = workers.map((options) => new StubWorker(options));
    this.#config = config;
  }

  start(): Promise<this> {
    return this.startWith(() => undefined);
  }

  /** @param onWorkers called with the addresses of the workers before the orchestrator starts */
  async startWith(onWorkers: (addresses: string[]) => void | Promise<void>): Promise<this> {
    await Promise.all(this.workers.map((worker) => worker.start()));
    await onWorkers(this.workers.map(({ address }) => address));
    const workers = this.workers.map(({ address }) => address);
    const config = { ...DEFAULTS, workers, ...this.#config };
    this.orchestrator = await startOrchestrator(config, createLogger('test', config.logLevel));
    const { address } = this.orchestrator;
    const credentials = grpc.credentials.createInsecure();
    const Client = clientClass(bigtraceOrchestrator);
    const Upstream = clientClass(perfettoOrchestrator);
    this.#client = new Client(address, credentials, GRPC_OPTIONS) as unknown as Stub;
    this.#upstream = new Upstream(address, credentials, GRPC_OPTIONS) as unknown as UpstreamStub;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    this.#upstream?.close();
    this.orchestrator?.stop();
    for (const worker of this.workers) worker.kill();
  }

  get client(): Stub {
    if (this.#client === undefined) throw new Error('not started');
    return this.#client;
  }

  /** Begins a query and sends all its traces. */
  begin(traces: string[], start: Partial<QueryStart> = {}): QueryCall {
    const call = this.client.Query();
    call.write({ start: { ...START, ...start } });
    for (let at = 0; at < traces.length; at += 1000)
      call.write({
        traces: { address: traces.slice(at, at + 1000).map((one) => Buffer.from(one)) },
      });
    call.end();
    return call;
  }

  /** Runs a query and returns all its events. @throws the error of the query */
  async query(traces: string[], start: Partial<QueryStart> = {}): Promise<QueryEvent[]> {
    return gather(this.begin(traces, start));
  }

  async upstream(traces: string[], sql = 'SELECT 1'): Promise<BigtraceQueryResponse[]> {
    const request = { traces: traces.map((one) => Buffer.from(one)), sqlQuery: Buffer.from(sql) };
    const responses: BigtraceQueryResponse[] = [];
    try {
      for await (const one of this.#upstream?.Query(request) ?? []) responses.push(one);
    } catch (error) {
      throw fromServiceError(error, 'orchestrator_unreachable');
    }
    return responses;
  }

  schema(traces: string[], request: Partial<SchemaRequest> = {}): Promise<SchemaResponse> {
    const address = traces.map((one) => Buffer.from(one));
    const whole: SchemaRequest = {
      ...{ queryId: '', sql: START.sql, address, user: '', onFailure: 'STRICT' },
      ...request,
    };
    return unary((done) => this.client.Schema(whole, done));
  }

  async failures(queryId = '', limit = 0): Promise<RecordedFailure[]> {
    const failures: RecordedFailure[] = [];
    const call = this.client.Failures({ queryId, limit });
    for await (const { failure } of call as AsyncIterable<FailuresResponse>)
      failures.push(...failure);
    return failures;
  }

  async list(...patterns: string[]): Promise<string[]> {
    const call = this.client.List({ pattern: patterns.map((one) => Buffer.from(one)), limit: 0 });
    const found: string[] = [];
    try {
      for await (const { trace } of call as AsyncIterable<ListResponse>)
        found.push(...trace.map(({ address }) => address.toString()));
    } catch (error) {
      throw fromServiceError(error, 'orchestrator_unreachable');
    }
    return found;
  }

  cancel(queryId: string): Promise<CancelResponse> {
    return unary((done) => this.client.Cancel({ queryId }, done));
  }

  unbar(request: UnbarRequest): Promise<UnbarResponse> {
    return unary((done) => this.client.Unbar(request, done));
  }

  status(): Promise<OrchestratorStatus> {
    return unary((done) => this.client.Status({}, done));
  }
}

const START: QueryStart = {
  ...{ queryId: '', sql: Buffer.from('SELECT name FROM slice'), onFailure: 'STRICT' },
  ...{ user: '', progressIntervalMs: 0 },
};

export function unary<T>(ask: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, reply) => {
      if (error === null && reply !== undefined) resolve(reply);
      else reject(fromServiceError(error, 'orchestrator_unreachable'));
    });
  });
}

export async function gather(call: QueryCall): Promise<QueryEvent[]> {
  const events: QueryEvent[] = [];
  try {
    for await (const { event } of call as AsyncIterable<QueryResponse>) events.push(...event);
  } catch (error) {
    throw fromServiceError(error, 'orchestrator_unreachable');
  }
  return events;
}

/** Returns `trace: result` for every rows event, sorted; a result that is not the trace's last ends in `…`. */
export function rowsOf(events: QueryEvent[]): string[] {
  return events
    .flatMap(({ rows }) => rows ?? [])
    .map(({ trace, result, last }) => `${trace}: ${result}${last ? '' : '…'}`)
    .sort();
}
