/** The gRPC edge of the orchestrator: upstream's service and our own, on one port. */
import * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../common/errors.ts';
import { toServiceError } from '../common/grpc-errors.ts';
import { addHealth } from '../common/health.ts';
import type { Logger } from '../common/log.ts';
import { VERSION } from '../common/version.ts';
import type {
  ListRequest,
  ListResponse,
  OrchestratorStatus,
  SchemaRequest,
  SchemaResponse,
} from '../proto/messages.ts';
import { bigtraceOrchestrator, GRPC_OPTIONS, perfettoOrchestrator } from '../proto/services.ts';
import type { QueryGround } from './dispatch.ts';
import type { TimeLimits } from './limits.ts';
import { listTraces } from './list.ts';
import { answerQuery, type QueryCall } from './query-call.ts';
import { SchemaService } from './schema.ts';
import { answerUpstream, type UpstreamCall } from './upstream-call.ts';

export interface ServerOptions extends TimeLimits {
  queriesMax: number;
}

type Streaming = QueryCall | UpstreamCall | grpc.ServerWritableStream<ListRequest, ListResponse>;

export class OrchestratorServer {
  readonly #options: ServerOptions;
  readonly #ground: QueryGround;
  readonly #log: Logger;
  readonly #schemas: SchemaService;
  readonly #server = new grpc.Server(GRPC_OPTIONS);
  readonly #notServing = addHealth(this.#server);
  /** One a running call. */
  readonly #running = new Set<AbortController>();
  #draining = false;
  #idle: () => void = () => undefined;

  constructor(options: ServerOptions, ground: QueryGround, log: Logger) {
    this.#options = options;
    this.#ground = ground;
    this.#log = log;
    this.#schemas = new SchemaService(ground, options);
    this.#server.addService(perfettoOrchestrator, {
      Query: (call: UpstreamCall) =>
        void this.#stream(call, (signal) => answerUpstream(call, ground, options, signal)),
    });
    this.#server.addService(bigtraceOrchestrator, {
      Query: (call: QueryCall) =>
        void this.#stream(call, (signal) => answerQuery(call, ground, options, signal)),
      List: (call: grpc.ServerWritableStream<ListRequest, ListResponse>) =>
        void this.#stream(call, (signal) => this.#list(call, signal)),
      Schema: (
        call: grpc.ServerUnaryCall<SchemaRequest, SchemaResponse>,
        reply: grpc.sendUnaryData<SchemaResponse>,
      ) => void this.#schema(call, reply),
      Status: (_call: unknown, reply: grpc.sendUnaryData<OrchestratorStatus>) =>
        reply(null, this.#status()),
    });
  }

  /** @returns the port it listens on @throws invalid_option when it cannot */
  async listen(socket: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(socket, grpc.ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else
          reject(
            new BigtraceError('invalid_option', `cannot listen on ${socket}: ${error.message}`),
          );
      });
    });
  }

  /** Takes no new queries; those that still run after `timeoutMs` are cancelled. */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    this.#notServing();
    if (this.#running.size > 0) {
      const timer = setTimeout(() => this.#abortAll(shuttingDown()), timeoutMs);
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      clearTimeout(timer);
    }
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
  }

  close(): void {
    this.#draining = true;
    this.#abortAll(shuttingDown());
    this.#server.forceShutdown();
  }

  #abortAll(error: BigtraceError): void {
    for (const call of this.#running) call.abort(error);
  }

  /** Runs a call until its end, bounded in number, cancelled when its client is gone. */
  async #guard(
    call: { on(event: 'cancelled', listener: () => void): unknown },
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { queriesMax } = this.#options;
    if (this.#draining) throw shuttingDown();
    if (this.#running.size >= queriesMax)
      throw new BigtraceError('limit_exceeded', `${queriesMax} queries are running already`);
    const control = new AbortController();
    this.#running.add(control);
    call.on('cancelled', () =>
      control.abort(new BigtraceError('cancelled', 'client cancelled the query')),
    );
    try {
      await work(control.signal);
    } finally {
      this.#running.delete(control);
      if (this.#running.size === 0) this.#idle();
    }
  }

  async #stream(call: Streaming, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await this.#guard(call, work);
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
      await this.#guard(call, async (signal) => {
        reply(null, await this.#schemas.answer(call.request, signal));
      });
    } catch (error) {
      this.#failed(call.getPath(), error);
      reply(toServiceError(error));
    }
  }

  #failed(path: string, error: unknown): void {
    const level = error instanceof BigtraceError && error.kind !== 'internal' ? 'info' : 'error';
    this.#log[level]({ path, err: error }, 'call failed');
  }

  async #list(
    call: grpc.ServerWritableStream<ListRequest, ListResponse>,
    signal: AbortSignal,
  ): Promise<void> {
    const { fleet, workerWaitMs } = this.#ground;
    for await (const trace of listTraces(call.request, { fleet, workerWaitMs, signal }))
      if (!call.write({ trace })) await drained(call, signal);
  }

  #status(): OrchestratorStatus {
    return {
      version: VERSION,
      worker: this.#ground.fleet.states(),
      queriesRunning: this.#running.size,
    };
  }
}

function shuttingDown(): BigtraceError {
  return new BigtraceError('draining', 'orchestrator is shutting down');
}

async function drained(
  call: { once(event: 'drain', listener: () => void): unknown },
  signal: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve) => {
    call.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  signal.throwIfAborted();
}
