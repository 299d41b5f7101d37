/** Runs an orchestrator over stub workers, and a client of it, for tests. */
import * as grpc from '@grpc/grpc-js';
import { fromServiceError } from '../../lib/common/call-errors.ts';
import { createLogger } from '../../lib/common/observability/log.ts';
import { PLAINTEXT_SERVER } from '../../lib/common/options/server-security-options.ts';
import type {
  BigtraceQueryResponse,
  CancelResponse,
  OrchestratorClient as Client,
  EstimateResponse,
  FailuresResponse,
  ListResponse,
  OrchestratorStatus,
  ProgressResponse,
  QueryEvent,
  QueryResponse,
  QueryStartInput,
  RecordedFailure,
  SchemaRequestInput,
  SchemaResponse,
  UnbarRequestInput,
  UnbarResponse,
  BigtraceOrchestratorClient as UpstreamClient,
} from '../../lib/proto/messages.ts';
import {
  BigtraceOrchestrator,
  GRPC_OPTIONS,
  PerfettoOrchestrator,
} from '../../lib/proto/services.ts';
import type { OrchestratorConfig } from '../config.ts';
import type { FleetOptions } from '../fleet/fleet.ts';
import { type RunningOrchestrator, startOrchestrator } from '../start.ts';
import { type StubOptions, StubWorker } from './stub-worker.ts';

export type QueryCall = ReturnType<Client['Query']>;

const DEFAULTS: OrchestratorConfig = {
  ...{ serverSecurity: PLAINTEXT_SERVER, workerCredentials: {} },
  ...{ socket: '127.0.0.1:0', workers: [], resolveIntervalMs: 50, workerTimeoutMs: 1000 },
  ...{ workerWaitMs: 1000, tracesInFlightMax: 0, hedgeAfterMs: 0, queryTimeoutMs: 60_000 },
  ...{ queryTimeoutMsMax: 60_000, queriesMax: 64, drainTimeoutMs: 1000 },
  ...{ userQueriesMax: 64, userResultBytesMax: 0, userCoreSecondsMax: 0 },
  ...{ schemasMax: 64, userSchemasMax: 64 },
  ...{
    ...{ peers: [], peerCredentials: {} },
    clickhouseUrl: undefined,
    servicePasswordFile: undefined,
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
  #client: Client | undefined;
  #upstream: UpstreamClient | undefined;

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
    this.#client = new BigtraceOrchestrator(address, credentials, GRPC_OPTIONS);
    this.#upstream = new PerfettoOrchestrator(address, credentials, GRPC_OPTIONS);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    this.#upstream?.close();
    this.orchestrator?.stop();
    for (const worker of this.workers) worker.kill();
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error('not started');
    return this.#client;
  }

  /** Begins a query and sends all its traces. */
  begin(traces: string[], start: QueryStartInput = {}): QueryCall {
    const call = this.client.Query();
    call.write({ start: { sql: SQL, ...start } });
    for (let at = 0; at < traces.length; at += 1000)
      call.write({
        traces: { address: traces.slice(at, at + 1000).map((one) => Buffer.from(one)) },
      });
    call.end();
    return call;
  }

  /** Runs a query and returns all its events. @throws the error of the query */
  async query(traces: string[], start: QueryStartInput = {}): Promise<QueryEvent[]> {
    return gather(this.begin(traces, start));
  }

  /** @param sql empty: the request has no SQL */
  async upstream(traces: string[], sql = 'SELECT 1'): Promise<BigtraceQueryResponse[]> {
    const request = {
      traces: traces.map((one) => Buffer.from(one)),
      ...(sql === '' ? {} : { sqlQuery: Buffer.from(sql) }),
    };
    const responses: BigtraceQueryResponse[] = [];
    try {
      for await (const one of this.#upstream?.Query(request) ?? []) responses.push(one);
    } catch (error) {
      throw fromServiceError(error, 'orchestrator_unreachable');
    }
    return responses;
  }

  /** Asks where the results of a query would come from. @throws the error of the call */
  async estimate(traces: string[], start: QueryStartInput = {}): Promise<EstimateResponse> {
    return unary((done) => {
      const call = this.client.Estimate(done);
      call.write({ start: { sql: SQL, ...start } });
      call.write({ traces: { address: traces.map((one) => Buffer.from(one)) } });
      call.end();
    });
  }

  schema(traces: string[], request: SchemaRequestInput = {}): Promise<SchemaResponse> {
    const address = traces.map((one) => Buffer.from(one));
    return unary((done) => this.client.Schema({ sql: SQL, address, ...request }, done));
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
    const traces: string[] = [];
    try {
      for await (const { trace } of call as AsyncIterable<ListResponse>)
        traces.push(...trace.map(({ address }) => address.toString()));
    } catch (error) {
      throw fromServiceError(error, 'orchestrator_unreachable');
    }
    return traces;
  }

  progress(queryId: string): Promise<ProgressResponse> {
    return unary((done) => this.client.Progress({ queryId }, done));
  }

  cancel(queryId: string): Promise<CancelResponse> {
    return unary((done) => this.client.Cancel({ queryId }, done));
  }

  unbar(request: UnbarRequestInput): Promise<UnbarResponse> {
    return unary((done) => this.client.Unbar(request, done));
  }

  status(): Promise<OrchestratorStatus> {
    return unary((done) => this.client.Status({}, done));
  }
}

const SQL = Buffer.from('SELECT name FROM slice');

export function unary<T>(send: (done: grpc.requestCallback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    send((error, reply) => {
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
