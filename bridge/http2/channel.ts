/** A gRPC client over node:http2, without the gRPC library, whose start takes longer than the rest of a short query. */
import type { ClientHttp2Stream } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { STATUS } from '../../lib/common/call-errors.ts';
import { type ClientCredentials, tlsOf } from '../../lib/common/network/client-credentials.ts';
import { SecretFile } from '../../lib/common/network/secret-file.ts';
import { CallError, refused } from './call-error.ts';
import { Connection, type OpenSession, openSession, type TlsOptions } from './connection.ts';
import type { Endpoint, Target } from './target.ts';

/** Timeout of a connection. It takes seconds on a machine where a hundred bridges start at once. */
const CONNECT_S_MAX = 15;

/** The next address is tried when the one before has not connected after this time (RFC 8305). */
const NEXT_ADDRESS_MS = 250;

export interface ChannelConfig {
  target: Target;
  /** Called for each connection. */
  tls: () => TlsOptions;
  token: SecretFile | undefined;
}

/** @throws invalid_option if a file of `credentials` cannot be read */
export function channelConfig(target: Target, credentials: ClientCredentials): ChannelConfig {
  const { tlsName, tokenFile } = credentials;
  const files = tlsOf(credentials);
  const name = tlsName === undefined ? {} : { servername: tlsName };
  return {
    target,
    tls: () => files && { ...files.current, ...name },
    token: tokenFile === undefined ? undefined : new SecretFile(tokenFile),
  };
}

/** Connects when a call needs it, and again after a loss. */
export class Channel {
  readonly #config: ChannelConfig;
  readonly #closed = new AbortController();
  #connection: Promise<Connection> | undefined;

  constructor(config: ChannelConfig) {
    this.#config = config;
  }

  /** Starts a call. @throws CallError if there is no connection */
  async open(path: string): Promise<{ stream: ClientHttp2Stream; connection: Connection }> {
    const connection = await this.connected();
    const { token } = this.#config;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token.first}` };
    return { stream: connection.open(path, headers), connection };
  }

  /** Resolves to a connection that accepts calls. @throws CallError */
  async connected(): Promise<Connection> {
    for (;;) {
      const isNew = this.#connection === undefined;
      this.#connection ??= this.#connect();
      const connecting = this.#connection;
      const connection = await connecting;
      if (connection.isUsable && !connection.isWorn) return connection;
      this.#forget(connecting);
      connection.close();
      if (isNew) throw endedEarly(connection);
    }
  }

  /** Calls that have started go on. */
  close(): void {
    this.#closed.abort();
    this.#connection?.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }

  #forget(connection: Promise<Connection> | undefined): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  #connect(): Promise<Connection> {
    const connecting = this.#newConnection(() => this.#forget(connecting));
    connecting.catch(() => this.#forget(connecting));
    return connecting;
  }

  async #newConnection(onUnusable: () => void): Promise<Connection> {
    const { target } = this.#config;
    const tls = this.#config.tls();
    if (this.#closed.signal.aborted)
      throw new CallError(STATUS.UNAVAILABLE, 'the client is closed');
    const over = new AbortController();
    const ended = AbortSignal.any([this.#closed.signal, over.signal]);
    const clock = startClock(() => over.abort());
    try {
      const opened = await Promise.race([
        target.endpoints().then((endpoints) => firstOf(endpoints, target, tls, ended)),
        rejected(ended),
      ]);
      return new Connection(opened, tls?.servername ?? target.authority, onUnusable);
    } catch (error) {
      if (over.signal.aborted) throw new ConnectTimeout();
      throw new CallError(STATUS.UNAVAILABLE, error instanceof Error ? error.message : `${error}`);
    } finally {
      clearInterval(clock);
      over.abort(); // what is still being connected has come too late
    }
  }
}

/** The error of a call whose connection ended, or began to shut down, before the call. */
function endedEarly({ lost }: Connection): CallError {
  return lost === undefined ? refused() : new CallError(STATUS.UNAVAILABLE, lost);
}

/** There was no connection within CONNECT_S_MAX. */
export class ConnectTimeout extends CallError {
  constructor() {
    super(STATUS.UNAVAILABLE, 'the connection timed out');
  }
}

/** Counts seconds: time in which this process was blocked, as it is while it waits for its request, counts as one. */
function startClock(timedOut: () => void): NodeJS.Timeout {
  let seconds = 0;
  return setInterval(() => {
    if (++seconds === CONNECT_S_MAX) timedOut();
  }, 1000).unref();
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the client is closed')));
  });
}

/**
 * Tries the addresses in their order, each when the one before has failed or takes long, and resolves to the first session.
 * @throws the error of the last address that failed
 */
async function firstOf(
  endpoints: readonly Endpoint[],
  target: Target,
  tls: TlsOptions,
  ended: AbortSignal,
): Promise<OpenSession> {
  const losers = new AbortController();
  const signal = AbortSignal.any([ended, losers.signal]);
  const attempts: Promise<OpenSession>[] = [];
  let lastError: unknown = new Error('the name has no address');
  for (const endpoint of endpoints) {
    ended.throwIfAborted();
    const attempt = openSession(target, endpoint, tls, signal);
    attempt.catch((error: unknown) => {
      lastError = error;
    });
    attempts.push(attempt);
    if (endpoint !== endpoints.at(-1) && (await isFirst(attempts))) break;
  }
  try {
    const winner = await Promise.any(attempts);
    for (const attempt of attempts)
      attempt.then(
        (opened) => opened !== winner && opened.session.destroy(),
        () => undefined,
      );
    return winner;
  } catch {
    throw lastError;
  } finally {
    losers.abort();
  }
}

/** Resolves to true when an attempt has succeeded; to false when the last one has failed, or has taken long. */
async function isFirst(attempts: readonly Promise<OpenSession>[]): Promise<boolean> {
  const paused = new AbortController();
  const pause = sleep(NEXT_ADDRESS_MS, false, { signal: paused.signal }).catch(() => false);
  const last = attempts.at(-1)?.catch(() => undefined);
  const isConnected = Promise.any(attempts).then(
    () => true,
    () => false,
  );
  const hasLastFailed = last?.then((opened) => opened !== undefined) ?? false;
  const result = await Promise.race([isConnected, hasLastFailed, pause]);
  paused.abort();
  return result;
}
