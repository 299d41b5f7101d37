/** gRPC client for the orchestrator, shared by the command line, the catalog and the HTTP API. */
import type * as grpc from '@grpc/grpc-js';
import { fromServiceError } from '../common/call-errors.ts';
import { BigtraceError } from '../common/errors.ts';
import { openChannel } from '../common/grpc-channel.ts';
import { connectWithin } from '../common/network/channel-watch.ts';
import type { ClientCredentials } from '../common/network/client-credentials.ts';
import { CONNECT_MS_MAX } from '../common/network/connect-timeout.ts';
import { RENEWED_CONNECTION } from '../common/network/renewed-channel.ts';
import { drained } from '../common/network/stream-drain.ts';
import { PROMPT_RECONNECT } from '../proto/channel-options.ts';
import type {
  CancelResponse,
  EstimateResponse,
  ListedTrace,
  ListRequestInput,
  OrchestratorStatus,
  Progress,
  ProgressResponse,
  QueryEvent,
  QueryRequestInput,
  QueryResponse,
  QueryStartInput,
  ReadTraceRequestInput,
  RecordedFailure,
  SchemaRequestInput,
  SchemaResponse,
  OrchestratorClient as Stub,
  UnbarRequestInput,
  UnbarResponse,
  VocabularyResponse,
} from '../proto/messages.ts';
import { BigtraceOrchestrator, GRPC_OPTIONS } from '../proto/services.ts';

/**
 * Keepalive pings detect an orchestrator that hangs and a network that drops all packets. A caller that processes a large
 * result on a busy machine may read nothing for seconds, which must not end its connection.
 */
const KEEPALIVE: grpc.ChannelOptions = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

/** Longer than CONNECT_MS_MAX, so that an error says whether there was a connection. */
const RESPONSE_MS_MAX = 15_000;

export interface Bounds {
  /** A call fails if there is no connection after this time. */
  connectMs?: number;
  /** Calls about queries fail if they have not ended after this time. */
  responseMs?: number;
}

export class OrchestratorClient {
  readonly #address: string;
  readonly #responseMs: number;
  readonly #client: Stub;

  /**
   * @param address host:port
   * @throws BigtraceError invalid_option when a file that `credentials` names cannot be read
   */
  constructor(
    address: string,
    credentials: ClientCredentials = {},
    { connectMs = CONNECT_MS_MAX, responseMs = RESPONSE_MS_MAX }: Bounds = {},
  ) {
    const channel = openChannel(credentials);
    const { interceptors = [], ...others } = channel.options;
    this.#address = address;
    this.#responseMs = responseMs;
    this.#client = new BigtraceOrchestrator(address, channel.credentials, {
      ...{ ...GRPC_OPTIONS, ...KEEPALIVE, ...PROMPT_RECONNECT, ...others, ...RENEWED_CONNECTION },
      interceptors: [...interceptors, connectWithin(connectMs, () => this.#client)],
    });
  }

  close(): void {
    this.#client.close();
  }

  /**
   * Runs a query and yields its events. Ending the iteration or aborting `signal` cancels the query.
   * @param traces addresses and patterns, in batches
   * @throws BigtraceError the query's error, or cancelled when `signal` was aborted; the error that `traces` threw
   */
  async *query(
    start: QueryStartInput,
    traces: AsyncIterable<Buffer[]> | Iterable<Buffer[]>,
    signal: AbortSignal,
  ): AsyncGenerator<QueryEvent> {
    const call = this.#client.Query();
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    // The error that `traces` threw. The call that is cancelled for it fails with a less specific error.
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

  /**
   * Counts the traces of a query by the source that their results would come from; runs nothing.
   * @throws BigtraceError; the error that `traces` threw
   */
  async estimate(
    start: QueryStartInput,
    traces: AsyncIterable<Buffer[]> | Iterable<Buffer[]>,
    signal: AbortSignal,
  ): Promise<EstimateResponse> {
    let call: grpc.ClientWritableStream<QueryRequestInput> | undefined;
    const cancel = (): void => call?.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    let unread: unknown;
    try {
      return await this.#unary<EstimateResponse>((done) => {
        call = this.#client.Estimate(done);
        if (signal.aborted) cancel();
        send(call, start, traces).catch((error: unknown) => {
          unread = error;
          cancel();
        });
      });
    } catch (thrown) {
      if (signal.aborted) throw new BigtraceError('cancelled', 'the call was cancelled');
      throw unread ?? thrown;
    } finally {
      signal.removeEventListener('abort', cancel);
      call?.destroy(); // ends send(), which may go on to read `traces`
    }
  }

  /** Yields the traces that match the patterns, in batches. @throws BigtraceError */
  async *list(request: ListRequestInput, signal: AbortSignal): AsyncGenerator<ListedTrace[]> {
    for await (const { trace } of this.#stream(this.#client.List(request), signal)) yield trace;
  }

  /** Yields the bytes of a trace. @throws BigtraceError */
  async *readTrace(request: ReadTraceRequestInput, signal: AbortSignal): AsyncGenerator<Buffer> {
    for await (const { data } of this.#stream(this.#client.ReadTrace(request), signal)) yield data;
  }

  /**
   * Returns failures that the orchestrator remembers, newest query first.
   * @param queryId empty: of all queries
   * @param limit 0: all
   * @param ownOnly without those of its peers
   * @throws BigtraceError
   */
  async failures(queryId: string, limit: number, ownOnly = false): Promise<RecordedFailure[]> {
    const call = this.#client.Failures({ queryId, limit, ownOnly }, this.#statusDeadline());
    const failures: RecordedFailure[] = [];
    for await (const { failure } of this.#stream(call)) failures.push(...failure);
    return failures;
  }

  /**
   * Yields the names that scripts can use.
   * @param engine name of an engine; empty: that of scripts that name none
   * @throws BigtraceError
   */
  vocabulary(engine: string, signal: AbortSignal): AsyncIterable<VocabularyResponse> {
    return this.#stream(this.#client.Vocabulary({ engine }), signal);
  }

  /** Returns the columns of a script, found by running it on a few traces. @throws BigtraceError */
  schema(request: SchemaRequestInput): Promise<SchemaResponse> {
    return this.#unary((done) => this.#client.Schema(request, done));
  }

  /** Returns the status of the orchestrator and its workers. @throws BigtraceError */
  status(ownOnly = false): Promise<OrchestratorStatus> {
    return this.#unary((done) => this.#client.Status({ ownOnly }, this.#statusDeadline(), done));
  }

  /** Returns the progress of a query; undefined if the orchestrator does not know it. @throws BigtraceError */
  async progress(queryId: string, ownOnly = false): Promise<Progress | undefined> {
    const response = await this.#unary<ProgressResponse>((done) =>
      this.#client.Progress({ queryId, ownOnly }, this.#statusDeadline(), done),
    );
    return response.progress ?? undefined;
  }

  /** Cancels the running queries with this ID. @returns how many there were @throws BigtraceError */
  async cancel(queryId: string, ownOnly = false): Promise<number> {
    const response = await this.#unary<CancelResponse>((done) =>
      this.#client.Cancel({ queryId, ownOnly }, this.#statusDeadline(), done),
    );
    return response.cancelled;
  }

  /** Lets workers load barred traces again. @throws BigtraceError */
  unbar(request: UnbarRequestInput): Promise<UnbarResponse> {
    return this.#unary((done) => this.#client.Unbar(request, this.#statusDeadline(), done));
  }

  /** Yields the messages of a call. Ending the iteration or aborting `signal` cancels the call. */
  async *#stream<Message>(
    call: grpc.ClientReadableStream<Message>,
    signal?: AbortSignal,
  ): AsyncGenerator<Message> {
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      for await (const message of call as AsyncIterable<Message>) yield message;
    } catch (thrown) {
      if (signal?.aborted) throw new BigtraceError('cancelled', 'the call was cancelled');
      throw this.#errorOf(thrown);
    } finally {
      signal?.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  #unary<Response>(call: (done: grpc.requestCallback<Response>) => unknown): Promise<Response> {
    return new Promise((resolve, reject) => {
      call((error, response) => {
        if (error === null && response !== undefined) resolve(response);
        else reject(this.#errorOf(error));
      });
    });
  }

  #statusDeadline(): grpc.CallOptions {
    return { deadline: Date.now() + this.#responseMs };
  }

  /** Adds the orchestrator's address to connection errors, because gRPC's message does not name it. */
  #errorOf(thrown: unknown): BigtraceError {
    const error = fromServiceError(thrown, 'orchestrator_unreachable');
    if (error.code !== 'orchestrator_unreachable') return error;
    return new BigtraceError(
      error.code,
      `cannot reach the orchestrator at ${this.#address} (${error.detail}); --orchestrator names another`,
      { cause: thrown },
    );
  }
}

async function send(
  call: grpc.ClientWritableStream<QueryRequestInput>,
  start: QueryStartInput,
  traces: AsyncIterable<Buffer[]> | Iterable<Buffer[]>,
): Promise<void> {
  call.write({ start });
  for await (const address of traces) {
    if (call.destroyed) return;
    // `drained` also resolves when the call fails and closes; the loop then ends at `destroyed`.
    if (!call.write({ traces: { address } })) await drained(call);
  }
  call.end();
}
