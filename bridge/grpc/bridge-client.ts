/** The bridge's gRPC client for the methods of bigtrace.v1.Orchestrator that it calls. */
import * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../../lib/common/errors.ts';
import { CODE_KEY, fromServiceError } from '../../lib/common/grpc-errors.ts';
import { watchConnection } from '../../lib/common/network/channel-watch.ts';
import {
  type ClientCredentials,
  openChannel,
} from '../../lib/common/network/client-credentials.ts';
import { GRPC_OPTIONS, PROMPT_RECONNECT } from '../../lib/proto/channel-options.ts';
import {
  decodeSchemaResponse,
  encodeLearnRequest,
  encodeSchemaRequest,
  type LearnedType,
  type SchemaColumn,
  type Start,
} from './messages.ts';
import {
  decodeFailures,
  decodeStatus,
  type RecordedFailure,
  type RunningQuery,
} from './report-messages.ts';

/** Timeout of the first connection. It takes seconds on a machine where a hundred bridges start at once. */
const CONNECT_TIMEOUT_MS = 15_000;

const CONNECT_TIMED_OUT = new Error('the connection timed out');

/** Whether there was no connection within CONNECT_TIMEOUT_MS. */
export function isConnectTimeout({ cause }: BigtraceError): boolean {
  return cause === CONNECT_TIMED_OUT;
}

const CHANNEL_OPTIONS: grpc.ChannelOptions = {
  ...GRPC_OPTIONS,
  // Detects a hung orchestrator within 15 s. A busy one replies to the ping sooner.
  'grpc.keepalive_time_ms': 5000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.enable_http_proxy': 0,
  'grpc.use_local_subchannel_pool': 1, // otherwise a new client may get the connection of the old one
  ...PROMPT_RECONNECT,
};

function isServiceError(thrown: unknown): thrown is grpc.ServiceError {
  return thrown instanceof Error && 'metadata' in thrown;
}

const same = (bytes: Buffer): Buffer => bytes;

/** A call of Query whose messages are encoded bytes in both directions. */
export type QueryCall = grpc.ClientDuplexStream<Buffer, Buffer>;

/** How to connect to an orchestrator. */
export interface Connector {
  address: string;
  /** Name of the environment variable or flag of the address, for error messages. */
  variable: string;
  connect: () => grpc.Client;
}

/** @throws invalid_option if a file of `credentials` cannot be read */
export function connector(
  address: string,
  variable: string,
  credentials: ClientCredentials,
  more: grpc.ClientOptions = {},
): Connector {
  const channel = openChannel(credentials);
  const options = { ...CHANNEL_OPTIONS, ...channel.options, ...more };
  return {
    address,
    variable,
    connect: () => new grpc.Client(address, channel.credentials, options),
  };
}

export class BridgeClient {
  readonly #connector: Connector;
  /** Whether others use the connection, too. */
  #isShared: boolean;
  #client: grpc.Client;

  /** @param shared a connection that others use, and that stays open */
  constructor(connector: Connector, shared?: grpc.Client) {
    this.#connector = connector;
    this.#isShared = shared !== undefined;
    this.#client = shared ?? connector.connect();
  }

  /** Later calls use a new connection, which may lead to another orchestrator. */
  reconnect(): void {
    this.close();
    this.#isShared = false;
    this.#client = this.#connector.connect();
  }

  /** While a connection that broke waits before it reconnects, its calls fail; a new one reaches a restarted orchestrator. */
  #connected(): grpc.Client {
    const state = this.#client.getChannel().getConnectivityState(false);
    if (state === grpc.connectivityState.TRANSIENT_FAILURE) this.reconnect();
    return this.#client;
  }

  /** Starts a Query call. It fails with orchestrator_unreachable if there is no connection after CONNECT_TIMEOUT_MS. */
  query(): QueryCall {
    const call = this.#connected().makeBidiStreamRequest(
      '/bigtrace.v1.Orchestrator/Query',
      same,
      same,
    );
    call.on('error', () => {}); // reading the call throws it
    this.#watchConnection(() => call.destroy(this.#timedOut()));
    return call;
  }

  /** Requests the columns of a script. Aborting `signal` cancels the call. */
  schema(
    start: Start & { again: boolean },
    addresses: readonly Buffer[],
    signal?: AbortSignal,
  ): Promise<SchemaColumn[]> {
    const request = encodeSchemaRequest(start, addresses);
    return this.#unary('Schema', request, decodeSchemaResponse, signal);
  }

  /** Reports the kind of a value that did not fit, so that the next column finding includes it. */
  async learn(start: Start, learnedType: LearnedType, signal: AbortSignal): Promise<void> {
    await this.#unary('Learn', encodeLearnRequest(start, learnedType), () => undefined, signal);
  }

  /** Returns the running queries. */
  running(): Promise<RunningQuery[]> {
    return this.#unary('Status', Buffer.of(), decodeStatus);
  }

  /** Streams the recent failures that the orchestrator still stores. A caller that stops reading cancels the call. */
  async *failures(): AsyncGenerator<RecordedFailure[]> {
    const call = this.#connected().makeServerStreamRequest(
      '/bigtrace.v1.Orchestrator/Failures',
      same,
      same,
      Buffer.of(),
    );
    call.on('error', () => {}); // reading the call throws it
    this.#watchConnection(() => call.destroy(this.#timedOut()));
    try {
      for await (const message of call) yield decodeFailures(message as Buffer);
    } catch (error) {
      throw this.errorOf(error);
    } finally {
      call.cancel();
    }
  }

  #unary<T>(
    method: string,
    request: Buffer,
    decode: (message: Buffer) => T,
    signal?: AbortSignal,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const call = this.#connected().makeUnaryRequest(
        `/bigtrace.v1.Orchestrator/${method}`,
        same,
        same,
        request,
        (error: grpc.ServiceError | null, response: Buffer | undefined) => {
          if (error !== null) return reject(this.errorOf(error));
          try {
            resolve(decode(response ?? Buffer.of()));
          } catch (malformed) {
            reject(malformed);
          }
        },
      );
      signal?.addEventListener('abort', () => call.cancel(), { once: true });
      this.#watchConnection(() => {
        reject(this.#timedOut());
        call.cancel();
      });
    });
  }

  /** Closes the connection, unless others use it. */
  close(): void {
    if (!this.#isShared) this.#client.close();
  }

  /** Converts the error of a call. If the orchestrator was unreachable, the message has its address. */
  errorOf(thrown: unknown): unknown {
    if (thrown instanceof BigtraceError || !isServiceError(thrown)) return thrown;
    const error = fromServiceError(thrown, 'orchestrator_unreachable');
    // The bridge never reports its own cancellation, so CANCELLED without our code means that the server went down.
    const cutOff = error.code === 'cancelled' && thrown.metadata.get(CODE_KEY).length === 0;
    return cutOff || error.code === 'orchestrator_unreachable'
      ? this.#unreachable(error.detail)
      : error;
  }

  #timedOut(): BigtraceError {
    return this.#unreachable(CONNECT_TIMED_OUT.message, CONNECT_TIMED_OUT);
  }

  #unreachable(why: string, cause?: Error): BigtraceError {
    const { address, variable } = this.#connector;
    return new BigtraceError(
      'orchestrator_unreachable',
      `cannot reach the orchestrator ${address} (${variable}), or the connection broke: ${why}`,
      { cause },
    );
  }

  #watchConnection(timedOut: () => void): void {
    watchConnection(this.#client, CONNECT_TIMEOUT_MS, timedOut);
  }
}
