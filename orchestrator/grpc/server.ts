/** The gRPC server of the orchestrator: upstream's service and Bigtrace's own on one port. */
import { setTimeout as sleep } from 'node:timers/promises';
import type * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../../lib/common/errors.ts';
import { toServiceError } from '../../lib/common/grpc-errors.ts';
import { createSecureServer, listen } from '../../lib/common/network/server-security.ts';
import { addHealth } from '../../lib/common/observability/health.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import type { Measured } from '../../lib/common/observability/probes.ts';
import type { ServerSecurity } from '../../lib/common/options/server-security-options.ts';
import { VERSION } from '../../lib/common/version.ts';
import type {
  CancelRequest,
  CancelResponse,
  EstimateResponse,
  LearnRequest,
  OrchestratorStatus,
  ProgressRequest,
  ProgressResponse,
  SchemaRequest,
  SchemaResponse,
  StatusRequest,
  UnbarRequest,
  UnbarResponse,
} from '../../lib/proto/messages.ts';
import {
  BigtraceOrchestrator,
  GRPC_OPTIONS,
  PerfettoOrchestrator,
} from '../../lib/proto/services.ts';
import type { GaugeName } from '../counters.ts';
import { cancelQueries, progressOf } from '../peers/queries.ts';
import { wholeStatus } from '../peers/whole-status.ts';
import type { QueryContext } from '../query/execute.ts';
import { RunningCalls } from '../query/running-queries.ts';
import { addScaler } from '../scaler/scaler.ts';
import { SchemaService } from '../schema/schema.ts';
import { type ColumnFindingBounds, ColumnFindingQueue } from '../schema/schema-queue.ts';
import { callerName } from './caller.ts';
import { type EstimateCall, handleEstimate } from './estimate-call.ts';
import type { TimeLimits } from './limits.ts';
import {
  type FailuresCall,
  handleFailures,
  handleList,
  handleReadTrace,
  handleVocabulary,
  type ListCall,
  type ReadTraceCall,
  type VocabularyCall,
} from './list-calls.ts';
import { handleQuery, type QueryCall } from './query-call.ts';
import { addReflection } from './reflection.ts';
import { respond } from './respond.ts';
import { unbarOnWorkers } from './unbar.ts';
import { handleUpstreamQuery, type UpstreamCall } from './upstream-call.ts';

export interface ServerOptions extends TimeLimits, ColumnFindingBounds {
  queriesMax: number;
  serverSecurity: ServerSecurity;
}

type StreamingCall =
  | QueryCall
  | UpstreamCall
  | ListCall
  | FailuresCall
  | ReadTraceCall
  | VocabularyCall;
type Unary<Request, Response> = (
  call: grpc.ServerUnaryCall<Request, Response>,
  reply: grpc.sendUnaryData<Response>,
) => void;

/** Time to send the final messages to clients after all queries have ended. */
const LAST_WORDS_MS = 1000;

export class OrchestratorServer {
  readonly #context: QueryContext;
  readonly #log: Logger;
  readonly #schemas: SchemaService;
  readonly #calls: RunningCalls;
  readonly #server: grpc.Server;
  readonly #credentials: grpc.ServerCredentials;
  readonly #notServing: () => void;

  constructor(options: ServerOptions, context: QueryContext, log: Logger) {
    this.#context = context;
    this.#log = log;
    this.#schemas = new SchemaService(context, options, new ColumnFindingQueue(options));
    this.#calls = new RunningCalls(options.queriesMax);
    const { server, credentials } = createSecureServer(options.serverSecurity, GRPC_OPTIONS);
    this.#server = server;
    this.#credentials = credentials;
    this.#notServing = addHealth(server);
    addReflection(server);
    this.#server.addService(PerfettoOrchestrator.service, {
      Query: (call: UpstreamCall) =>
        void this.#stream(call, (signal) => handleUpstreamQuery(call, context, options, signal)),
    });
    const schema: Unary<SchemaRequest, SchemaResponse> = (call, reply) =>
      void this.#schema(call, reply);
    const learn: Unary<LearnRequest, object> = (call, reply) => {
      try {
        this.#schemas.learn({ ...call.request, user: callerName(call.request.user, call) });
        reply(null, {});
      } catch (error) {
        reply(toServiceError(error));
      }
    };
    const status: Unary<StatusRequest, OrchestratorStatus> = ({ request }, reply) =>
      void respond(reply, () => (request.ownOnly ? this.#status() : this.#wholeStatus()));
    const progress: Unary<ProgressRequest, ProgressResponse> = ({ request }, reply) =>
      void respond(reply, async () => ({ progress: (await progressOf(context, request)) ?? null }));
    const cancel: Unary<CancelRequest, CancelResponse> = ({ request }, reply) =>
      void respond(reply, async () => ({ cancelled: await cancelQueries(context, request) }));
    const unbar: Unary<UnbarRequest, UnbarResponse> = ({ request }, reply) =>
      void respond(reply, () => unbarOnWorkers(context.fleet, request));
    addScaler(server, () => this.#wholeStatus());
    this.#server.addService(BigtraceOrchestrator.service, {
      Query: (call: QueryCall) =>
        void this.#stream(call, (signal) =>
          handleQuery(call, context, options, signal, (queryId) => this.#schemas.ended(queryId)),
        ),
      List: (call: ListCall) =>
        void this.#stream(call, (signal) => handleList(call, context, signal)),
      Failures: (call: FailuresCall) =>
        void this.#stream(call, (signal) => handleFailures(call, context, signal), false),
      ReadTrace: (call: ReadTraceCall) =>
        void this.#stream(call, (signal) => handleReadTrace(call, context, signal)),
      Vocabulary: (call: VocabularyCall) =>
        void this.#stream(call, (signal) => handleVocabulary(call, context, signal)),
      Estimate: (call: EstimateCall, reply: grpc.sendUnaryData<EstimateResponse>) =>
        void this.#estimate(call, reply),
      Schema: schema,
      Learn: learn,
      Status: status,
      Progress: progress,
      Cancel: cancel,
      Unbar: unbar,
    });
  }

  /** @returns the port that the server listens on @throws invalid_option when it cannot listen */
  listen(socket: string): Promise<number> {
    return listen(this.#server, socket, this.#credentials);
  }

  get draining(): boolean {
    return this.#calls.draining;
  }

  measure(): Measured {
    const { counters, gauges } = this.#status();
    return { counters, gauges };
  }

  /** Refuses new queries, and cancels those that still run after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    this.#notServing();
    await this.#calls.drain(timeoutMs);
    const shutdown = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await Promise.race([shutdown, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
  }

  /** Aborts all calls and closes the server at once. */
  close(): void {
    this.#calls.abortAll();
    this.#server.forceShutdown();
  }

  async #stream(
    call: StreamingCall,
    work: (signal: AbortSignal) => Promise<void>,
    needsWorkers = true,
  ): Promise<void> {
    try {
      await this.#calls.run(call, work, { needsWorkers });
      call.end();
    } catch (error) {
      this.#failed(call.getPath(), error);
      call.emit('error', toServiceError(error));
    }
  }

  async #schema(
    call: grpc.ServerUnaryCall<SchemaRequest, SchemaResponse>,
    reply: grpc.sendUnaryData<SchemaResponse>,
  ): Promise<void> {
    try {
      const request = { ...call.request, user: callerName(call.request.user, call) };
      const work = async (signal: AbortSignal): Promise<void> =>
        reply(null, await this.#schemas.find(request, signal));
      await this.#calls.run(call, work, { bounded: false }); // column findings have a separate bound
    } catch (error) {
      this.#failed(call.getPath(), error);
      reply(toServiceError(error));
    }
  }

  async #estimate(call: EstimateCall, reply: grpc.sendUnaryData<EstimateResponse>): Promise<void> {
    try {
      const work = async (signal: AbortSignal): Promise<void> =>
        reply(null, await handleEstimate(call, this.#context, signal));
      await this.#calls.run(call, work);
    } catch (error) {
      this.#failed(call.getPath(), error);
      reply(toServiceError(error));
    }
  }

  #failed(path: string, error: unknown): void {
    const level = error instanceof BigtraceError && error.kind !== 'internal' ? 'info' : 'error';
    this.#log[level]({ path, err: error }, 'call failed');
  }

  /** Returns the status of all orchestrators. */
  async #wholeStatus(): Promise<OrchestratorStatus> {
    const others = await this.#context.peers.responses((client) => client.status(true));
    return wholeStatus([this.#status(), ...others]);
  }

  #status(): OrchestratorStatus {
    const { fleet, counters, running } = this.#context;
    const { waiting, inFlight, traceBytes } = running.load();
    return {
      version: VERSION,
      worker: fleet.states(),
      queriesRunning: this.#calls.size,
      counters: counters.all(),
      gauges: {
        queries_running: this.#calls.size,
        calls_for_workers: this.#calls.needingWorkers,
        traces_waiting: waiting,
        traces_in_flight: inFlight,
        trace_bytes_unfinished: traceBytes,
        workers_ready: fleet.usable.length,
        workers_known: fleet.workers.length,
      } satisfies Record<GaugeName, number>,
      query: running.states(),
    };
  }
}
