/** Asking an orchestrator over gRPC: what the command line and the catalog share. */
import type * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../common/errors.ts';
import { fromServiceError } from '../common/grpc-errors.ts';
import { type ClientCredentials, openChannel } from '../common/network/client-credentials.ts';
import { drained } from '../common/network/stream-drain.ts';
import type {
  CancelRequest,
  CancelResponse,
  ListedTrace,
  ListRequest,
  ListResponse,
  OrchestratorStatus,
  QueryEvent,
  QueryRequest,
  QueryResponse,
  QueryStart,
  SchemaRequest,
  SchemaResponse,
  UnbarRequest,
  UnbarResponse,
} from '../proto/messages.ts';
import { bigtraceOrchestrator, clientClass, GRPC_OPTIONS } from '../proto/services.ts';

/** Pings find an orchestrator that hangs, or a network that swallows everything. */
const KEEPALIVE: grpc.ChannelOptions = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
};

const STATUS_MS_MAX = 10_000;

type QueryCall = grpc.ClientDuplexStream<QueryRequest, QueryResponse>;
type Done<Response> = (error: grpc.ServiceError | null, response?: Response) => void;

/** The methods by name: a name that is not there does not compile, where a call of it would do nothing. */
interface Stub extends grpc.Client {
  Query(): QueryCall;
  List(request: ListRequest): grpc.ClientReadableStream<ListResponse>;
  Schema(request: SchemaRequest, done: Done<SchemaResponse>): grpc.ClientUnaryCall;
  Status(
    request: object,
    options: grpc.CallOptions,
    done: Done<OrchestratorStatus>,
  ): grpc.ClientUnaryCall;
  Cancel(
    request: CancelRequest,
    options: grpc.CallOptions,
    done: Done<CancelResponse>,
  ): grpc.ClientUnaryCall;
  Unbar(
    request: UnbarRequest,
    options: grpc.CallOptions,
    done: Done<UnbarResponse>,
  ): grpc.ClientUnaryCall;
}

export class OrchestratorClient {
  readonly #address: string;
  readonly #client: Stub;

  /** `address`: host:port @throws invalid_option where a file of `peer` cannot be read */
  constructor(address: string, peer: ClientCredentials = {}) {
    const Client = clientClass(bigtraceOrchestrator);
    const channel = openChannel(peer);
    const options = { ...GRPC_OPTIONS, ...KEEPALIVE, ...channel.options };
    this.#address = address;
    this.#client = new Client(address, channel.credentials, options) as unknown as Stub;
  }

  close(): void {
    this.#client.close();
  }

  /**
   * Events as they come; who stops reading, or aborts, cancels the query.
   * `traces`: addresses and patterns, in batches.
   * @throws BigtraceError what the query failed with; cancelled; what reading `traces` threw
   */
  async *query(
    start: QueryStart,
    traces: AsyncIterable<Buffer[]> | Iterable<Buffer[]>,
    signal: AbortSignal,
  ): AsyncGenerator<QueryEvent> {
    const call = this.#client.Query();
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    // Reading fails with the same reason as writing does, and says it better.
    let unread: unknown;
    const sending = send(call, start, traces).catch((error: unknown) => {
      unread = error;
      call.cancel();
    });
    try {
      for await (const { event } of call as AsyncIterable<QueryResponse>) yield* event;
      await sending;
    } catch (thrown) {
      if (signal.aborted) throw new BigtraceError('cancelled', 'the query was cancelled');
      throw unread ?? this.#errorOf(thrown);
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  /** The traces that patterns match, in batches. @throws BigtraceError */
  async *list(request: ListRequest, signal: AbortSignal): AsyncGenerator<ListedTrace[]> {
    const call = this.#client.List(request);
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for await (const { trace } of call as AsyncIterable<ListResponse>) yield trace;
    } catch (thrown) {
      if (signal.aborted) throw new BigtraceError('cancelled', 'the listing was cancelled');
      throw this.#errorOf(thrown);
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  /** The columns of a script, found by running it over a few traces. @throws BigtraceError */
  schema(request: SchemaRequest): Promise<SchemaResponse> {
    return this.#unary((done) => this.#client.Schema(request, done));
  }

  /** What it and its workers are doing. @throws BigtraceError */
  status(): Promise<OrchestratorStatus> {
    return this.#unary((done) => this.#client.Status({}, soon(), done));
  }

  /** Ends the queries of that name. @returns how many there were @throws BigtraceError */
  async cancel(queryId: string): Promise<number> {
    const answer = await this.#unary<CancelResponse>((done) =>
      this.#client.Cancel({ queryId }, soon(), done),
    );
    return answer.cancelled;
  }

  /** Lets barred traces be loaded again. @throws BigtraceError */
  unbar(request: UnbarRequest): Promise<UnbarResponse> {
    return this.#unary((done) => this.#client.Unbar(request, soon(), done));
  }

  #unary<Response>(call: (done: Done<Response>) => unknown): Promise<Response> {
    return new Promise((resolve, reject) => {
      call((error, response) => {
        if (error === null && response !== undefined) resolve(response);
        else reject(this.#errorOf(error));
      });
    });
  }

  /** gRPC's own text for a connection that fails does not say to whom. */
  #errorOf(thrown: unknown): BigtraceError {
    const error = fromServiceError(thrown, 'orchestrator_unreachable');
    if (error.code !== 'orchestrator_unreachable') return error;
    return new BigtraceError(
      error.code,
      `the orchestrator at ${this.#address} cannot be reached (${error.detail}); --orchestrator names another`,
      { cause: thrown },
    );
  }
}

function soon(): grpc.CallOptions {
  return { deadline: Date.now() + STATUS_MS_MAX };
}

async function send(
  call: QueryCall,
  start: QueryStart,
  traces: AsyncIterable<Buffer[]> | Iterable<Buffer[]>,
): Promise<void> {
  call.write({ start });
  for await (const address of traces) {
    if (call.destroyed) return;
    // A call that fails says so by an event; nothing drains after it.
    if (!call.write({ traces: { address } })) await drained(call);
  }
  call.end();
}
