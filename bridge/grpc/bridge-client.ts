/** The bridge's client for the methods of bigtrace.v1.Orchestrator that it calls. */
import { CODE_KEY, fromServiceError, STATUS } from '../../lib/common/call-errors.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import type { ClientCredentials } from '../../lib/common/network/client-credentials.ts';
import { Call } from '../http2/call.ts';
import { CallError } from '../http2/call-error.ts';
import { Channel, ConnectTimeout, channelConfig } from '../http2/channel.ts';
import { parseTarget } from '../http2/target.ts';
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

/** Whether there was no connection within the time for it. */
export function isConnectTimeout({ cause }: BigtraceError): boolean {
  return cause instanceof ConnectTimeout;
}

/** Whether the orchestrator has not processed the call, because it was about to close the connection. */
export function isRefused(error: unknown): boolean {
  const cause = error instanceof BigtraceError ? error.cause : error;
  return cause instanceof CallError && cause.isRefused;
}

/** How to connect to an orchestrator. */
export interface Connector {
  address: string;
  /** Name of the environment variable or flag of the address, for error messages. */
  variable: string;
  connect: () => Channel;
}

/** @throws invalid_option if the address is malformed, or a file of `credentials` cannot be read */
export function connector(
  address: string,
  variable: string,
  credentials: ClientCredentials,
): Connector {
  const config = channelConfig(parseTarget(address, variable), credentials);
  return { address, variable, connect: () => new Channel(config) };
}

export class BridgeClient {
  readonly #connector: Connector;
  /** Whether others use the connection, too. */
  #isShared: boolean;
  #channel: Channel;

  /** @param shared a connection that others use, and that stays open */
  constructor(connector: Connector, shared?: Channel) {
    this.#connector = connector;
    this.#isShared = shared !== undefined;
    this.#channel = shared ?? connector.connect();
  }

  /** Connects while the caller does something else. */
  connectEarly(): void {
    this.#channel.connected().catch(() => {}); // the first call tries again
  }

  /** Later calls use a new connection, which may lead to another orchestrator. */
  reconnect(): void {
    this.close();
    this.#isShared = false;
    this.#channel = this.#connector.connect();
  }

  /** Starts a Query call. It fails with orchestrator_unreachable if there is no connection in time. */
  query(): Call {
    return this.#call('Query');
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
    const call = this.#call('Failures');
    call.write(Buffer.of());
    call.end();
    try {
      for await (const message of call) yield decodeFailures(message);
    } catch (error) {
      throw this.errorOf(error);
    }
  }

  async #unary<T>(
    method: string,
    request: Buffer,
    decode: (message: Buffer) => T,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let isRepeated = false; ; isRepeated = true)
      try {
        return decode(await this.#response(method, request, signal));
      } catch (error) {
        if (isRepeated || !isRefused(error)) throw this.errorOf(error);
      }
  }

  async #response(
    method: string,
    request: Buffer,
    signal: AbortSignal | undefined,
  ): Promise<Buffer> {
    const call = this.#call(method);
    const cancel = (): void => call.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
    call.write(request);
    call.end();
    try {
      let response: Buffer | undefined;
      for await (const message of call) response = message;
      if (response !== undefined) return response;
      throw new CallError(STATUS.INTERNAL, 'the response has no message');
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  #call(method: string): Call {
    return new Call(this.#channel, `/bigtrace.v1.Orchestrator/${method}`);
  }

  /** Closes the connection, unless others use it. */
  close(): void {
    if (!this.#isShared) this.#channel.close();
  }

  /** Converts the error of a call. If the orchestrator was unreachable, the message has its address. */
  errorOf(thrown: unknown): unknown {
    if (!(thrown instanceof CallError)) return thrown;
    const error = fromServiceError(thrown, 'orchestrator_unreachable');
    // The bridge never reports its own cancellation, so CANCELLED without our code means that the server went down.
    const cutOff = error.code === 'cancelled' && thrown.metadata.get(CODE_KEY).length === 0;
    if (!cutOff && error.code !== 'orchestrator_unreachable') return error;
    const { address, variable } = this.#connector;
    return new BigtraceError(
      'orchestrator_unreachable',
      `cannot reach the orchestrator ${address} (${variable}), or the connection broke: ${error.detail}`,
      { cause: thrown },
    );
  }
}
