/** The gRPC server of a worker: its two services and health checks on one port. */
import { setMaxListeners } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../../lib/common/errors.ts';
import { toServiceError } from '../../lib/common/grpc-errors.ts';
import { createSecureServer, listen } from '../../lib/common/network/server-security.ts';
import { addHealth } from '../../lib/common/observability/health.ts';
import type { Measured } from '../../lib/common/observability/probes.ts';
import { type Tracing, traceContextOf } from '../../lib/common/observability/tracing.ts';
import type { ServerSecurity } from '../../lib/common/options/server-security-options.ts';
import { bytesFromText, printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { checkSqlLength } from '../../lib/common/text/text-bounds.ts';
import { VERSION } from '../../lib/common/version.ts';
import type { Engine } from '../../lib/engine/index.ts';
import { plainForPlainClients } from '../../lib/proto/checked.ts';
import type {
  BigtraceQueryTraceArgs,
  BigtraceQueryTraceResponse,
  ListRequest,
  ListResponse,
  ReadTraceRequest,
  ReadTraceResponse,
  RunningTrace,
  RunRequest,
  RunResponse,
  SourcesRequest,
  TraceSources,
  UnbarRequest,
  UnbarResponse,
  VocabularyRequest,
  VocabularyResponse,
  WorkerStatus,
} from '../../lib/proto/messages.ts';
import { BigtraceWorker, GRPC_OPTIONS, PerfettoWorker } from '../../lib/proto/services.ts';
import { storeCounters, storeGauges } from '../store-counts.ts';
import { taskLimits } from '../tasks/limits.ts';
import { checkEngineNamed, engineIdOf } from '../tasks/own-engine.ts';
import { scriptFacts } from '../tasks/script.ts';
import { executeTask } from '../tasks/task-executor.ts';
import type { Vocabulary } from '../tasks/vocabulary.ts';
import { firstCredits } from './credit-window.ts';
import { sendListed } from './list-call.ts';
import { sendTrace } from './read-call.ts';
import { RunStreamHandler, type RunStreamParts, type RunStreamSink } from './run-call.ts';
import { sourcesOf } from './sources-call.ts';
import { TraceSpans } from './trace-spans.ts';

/** QueryTrace returns all results of a trace in one message, and a message is below 2 GiB. */
const UNARY_RESULT_BYTES_MAX = 2 ** 31 - 2 ** 20;

export interface ServerParts extends RunStreamParts {
  engine: Engine;
  vocabulary: Vocabulary;
  serverSecurity: ServerSecurity;
  tracing: Tracing | undefined;
  cacheId: string;
}

export class WorkerServer {
  readonly #parts: ServerParts;
  readonly #server: grpc.Server;
  readonly #credentials: grpc.ServerCredentials;
  readonly #notServing: () => void;
  readonly #runs = new Set<RunStreamHandler>();
  readonly #startedAt = performance.now();
  /** Number of QueryTrace calls that are running. */
  #unary = 0;
  #draining = false;
  #whenIdle: (() => void) | undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    const { server, credentials } = createSecureServer(parts.serverSecurity, GRPC_OPTIONS, [
      plainForPlainClients,
    ]);
    this.#server = server;
    this.#credentials = credentials;
    this.#notServing = addHealth(server);
    this.#server.addService(PerfettoWorker.service, {
      QueryTrace: this.#queryTrace.bind(this),
    });
    this.#server.addService(BigtraceWorker.service, {
      Run: this.#run.bind(this),
      List: this.#list.bind(this),
      ReadTrace: this.#readTrace.bind(this),
      Status: this.#status.bind(this),
      Unbar: this.#unbar.bind(this),
      Vocabulary: this.#vocabulary.bind(this),
      Sources: this.#sources.bind(this),
    });
  }

  /**
   * @returns the port that the server listens on.
   * @throws invalid_option if it cannot listen on the address
   */
  listen(hostPort: string): Promise<number> {
    return listen(this.#server, hostPort, this.#credentials);
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Returns counters and gauges for the metrics. */
  measure(): Measured {
    const { admission } = this.#parts;
    return {
      counters: this.#counters(),
      gauges: {
        ...this.#gauges(),
        threads: admission.threads.total,
        tasks_running: admission.running,
        tasks_queued: this.#queued(),
      },
    };
  }

  #queued(): number {
    let queued = 0;
    for (const run of this.#runs) queued += run.queued;
    return queued;
  }

  /** Refuses new tasks and resolves when running ones are finished and their results are sent. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#notServing();
    for (const run of this.#runs) run.drain();
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      this.#checkIdle();
    });
    // The last results may still be in flight.
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
  }

  /** Ends all calls at once. */
  close(): void {
    this.#server.forceShutdown();
  }

  #checkIdle(): void {
    if (this.#draining && this.#runs.size === 0 && this.#unary === 0) this.#whenIdle?.();
  }

  #run(call: grpc.ServerDuplexStream<RunRequest, RunResponse>): void {
    if (this.#draining) return void call.emit('error', toServiceError(drainingError()));
    sendHeaders(call);
    const sink: RunStreamSink = {
      write: (message) => call.write(message),
      once: (event, listener) => call.once(event, listener),
      end: () => call.end(),
      fail: (error) => {
        this.#parts.logger.debug({ err: error }, 'a query failed as a whole');
        call.emit('error', toServiceError(error));
      },
    };
    const run = new RunStreamHandler(this.#parts, sink, this.#spansFor(call.metadata));
    this.#runs.add(run);
    call.on('data', (request: RunRequest) => run.onMessage(request));
    call.on('end', () => run.onHalfClose());
    call.on('cancelled', () => run.onGone());
    call.on('error', () => run.onGone());
    call.on('close', () => {
      run.onGone();
      this.#runs.delete(run);
      this.#checkIdle();
    });
  }

  /** Returns spans only if the client sent a trace context; spans of single traces are of no use without it. */
  #spansFor(metadata: grpc.Metadata): TraceSpans | undefined {
    const { tracing } = this.#parts;
    const under = traceContextOf(metadata);
    return tracing && under && new TraceSpans(tracing, under);
  }

  async #queryTrace(
    call: grpc.ServerUnaryCall<BigtraceQueryTraceArgs, BigtraceQueryTraceResponse>,
    reply: grpc.sendUnaryData<BigtraceQueryTraceResponse>,
  ): Promise<void> {
    const abort = new AbortController();
    call.on('cancelled', () =>
      abort.abort(new BigtraceError('cancelled', 'the call was cancelled')),
    );
    this.#unary++;
    try {
      reply(null, await this.#queryTraceUnary(call.request, call.getPeer(), abort.signal));
    } catch (thrown) {
      reply(toServiceError(thrown));
    } finally {
      this.#unary--;
      this.#checkIdle();
    }
  }

  /** Runs a script on one trace for QueryTrace, and returns all its rows in one response. */
  async #queryTraceUnary(
    { trace = EMPTY, sqlQuery = EMPTY }: BigtraceQueryTraceArgs,
    clientAddress: string,
    signal: AbortSignal,
  ): Promise<BigtraceQueryTraceResponse> {
    if (this.#draining) throw drainingError();
    if (sqlQuery.length === 0) throw new BigtraceError('no_sql', 'the query has no SQL');
    checkSqlLength('SQL', sqlQuery, printable(textFromBytes(trace)));
    checkEngineNamed(sqlQuery, this.#parts);
    const { limits } = this.#parts;
    const user = clientAddress.slice(0, clientAddress.lastIndexOf(':')); // upstream's protocol has no user
    const result: Buffer[] = [];
    await executeTask(
      this.#parts,
      {
        trace: await this.#parts.stores.canonical(textFromBytes(trace), signal),
        generation: '',
        alone: false,
        script: scriptFacts(sqlQuery, this.#parts.packages),
        limits: taskLimits({ resultBytesMax: UNARY_RESULT_BYTES_MAX }, limits),
        wantsKinds: false,
        turn: { user, query: signal },
        onBegin: () => {},
        onPhase: () => {},
        onResult: (one) => {
          result.push(one);
          return undefined;
        },
      },
      signal,
    );
    return { trace, result };
  }

  async #list(call: grpc.ServerWritableStream<ListRequest, ListResponse>): Promise<void> {
    const { pattern, limit } = call.request;
    await streamed(call, (signal) =>
      sendListed(this.#parts.stores, pattern.map(textFromBytes), limit, call, signal),
    );
  }

  async #readTrace(
    call: grpc.ServerWritableStream<ReadTraceRequest, ReadTraceResponse>,
  ): Promise<void> {
    const turn = { user: call.getPeer(), query: call };
    await streamed(call, (signal) => sendTrace(this.#parts, call.request, call, turn, signal));
  }

  async #vocabulary(
    call: grpc.ServerWritableStream<VocabularyRequest, VocabularyResponse>,
  ): Promise<void> {
    const { vocabulary, engineName } = this.#parts;
    await streamed(call, async () => {
      const module = await vocabulary.modules();
      call.write({ engine: engineIdOf(this.#parts), engineName, module });
    });
  }

  #counters(): Record<string, number> {
    const { counters, stores } = this.#parts;
    return { ...counters.all(), ...storeCounters(stores) };
  }

  #gauges(): Record<string, number> {
    const { pool, results, resultDisk, snapshots, admission, barred, stores } = this.#parts;
    return {
      ...pool.gauges(),
      ...storeGauges(stores),
      results_in_memory: results.size,
      results_bytes: results.bytes,
      results_on_disk: resultDisk.size,
      results_on_disk_bytes: resultDisk.bytes,
      snapshots: snapshots.size,
      snapshots_bytes: snapshots.bytes,
      uncompressed_snapshots_bytes: snapshots.uncompressedBytes,
      ...admission.gauges(),
      traces_barred: barred.size,
      queries: this.#runs.size,
      rss_bytes: process.memoryUsage.rss(),
    };
  }

  /** The traces that have run longest, at most NAMED_MAX. */
  #running(): RunningTrace[] {
    return [...this.#runs]
      .flatMap((run) => run.running())
      .sort((one, other) => other.totalMs - one.totalMs)
      .slice(0, NAMED_MAX);
  }

  async #unbar(
    { request }: grpc.ServerUnaryCall<UnbarRequest, UnbarResponse>,
    reply: grpc.sendUnaryData<UnbarResponse>,
  ): Promise<void> {
    try {
      const addresses = request.all ? 'all' : new Set(request.trace.map(textFromBytes));
      reply(null, { lifted: await this.#parts.barred.lift(addresses), unreached: [] });
    } catch (thrown) {
      reply(toServiceError(thrown));
    }
  }

  async #sources(
    call: grpc.ServerUnaryCall<SourcesRequest, TraceSources>,
    reply: grpc.sendUnaryData<TraceSources>,
  ): Promise<void> {
    const abort = new AbortController();
    setMaxListeners(0, abort.signal); // one for each trace
    call.on('cancelled', () =>
      abort.abort(new BigtraceError('cancelled', 'the call was cancelled')),
    );
    try {
      reply(null, await sourcesOf(this.#parts, call.request, abort.signal));
    } catch (thrown) {
      abort.abort(thrown); // the other traces are not looked up any more
      reply(toServiceError(thrown));
    }
  }

  #status(
    _call: grpc.ServerUnaryCall<object, WorkerStatus>,
    reply: grpc.sendUnaryData<WorkerStatus>,
  ): void {
    const { admission, barred, engine, limits, wide } = this.#parts;
    const { total: threads } = admission.threads;
    reply(null, {
      version: VERSION,
      engine: engineIdOf(this.#parts),
      threads,
      tasksRunning: admission.running,
      tasksQueued: this.#queued(),
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      draining: this.#draining,
      counters: this.#counters(),
      gauges: this.#gauges(),
      sqlPackage: engine.packages.map(({ name }) => name),
      cacheId: this.#parts.cacheId,
      firstCredits: firstCredits(threads),
      running: this.#running(),
      barred: barred.latest(NAMED_MAX).map(({ trace, detail: message, ...bar }) => ({
        ...{ trace: bytesFromText(trace), generation: bar.generation, code: bar.code },
        ...{ message, barredMs: bar.barredMs },
      })),
      barredTotal: barred.size,
      localRoot: this.#parts.stores.localRoots.map(bytesFromText),
      instanceMemoryBytes: limits.memoryBytesMax,
      engineName: this.#parts.engineName,
      engineRuntime: this.#parts.engine.code.runtime,
      memory64: wide !== undefined,
    });
  }
}

const EMPTY = Buffer.alloc(0);

/** Maximum number of running and of barred traces that `Status` lists. */
const NAMED_MAX = 100;

/** Serves a streaming call: ends it when `send` resolves, or with the error that it throws. */
async function streamed<Request, Response>(
  call: grpc.ServerWritableStream<Request, Response>,
  send: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  sendHeaders(call);
  const abort = new AbortController();
  call.on('cancelled', () => abort.abort(new BigtraceError('cancelled', 'the call was cancelled')));
  try {
    await send(abort.signal);
    call.end();
  } catch (thrown) {
    call.emit('error', toServiceError(thrown)); // grpc-js ends the call with the error
  }
}

/**
 * Sends headers before the first message, so that an orchestrator knows whether a worker that died had
 * received the call.
 */
function sendHeaders(call: { sendMetadata(metadata: grpc.Metadata): void }): void {
  call.sendMetadata(new grpc.Metadata());
}

function drainingError(): BigtraceError {
  return new BigtraceError('draining', 'the worker is shutting down and accepts no new tasks');
}
