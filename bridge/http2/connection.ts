/** One HTTP/2 connection to an orchestrator. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { RECEIVE_WINDOW_BYTES } from '../../lib/proto/channel-options.ts';
import type { Endpoint, Target } from './target.ts';

/** Detects a hung orchestrator within 15 s. A busy one replies to the ping sooner. */
const PING_EVERY_MS = 5000;
const PING_MS_MAX = 10_000;

/** Node closes the connection of a client that has reset 1000 streams (lib/common/network/renewed-channel.ts). */
const UNSUCCESSFUL_MAX = 500;

/** How to secure a connection; undefined: plaintext. */
export type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'> | undefined;

export class Connection {
  readonly #session: ClientHttp2Session;
  readonly #authority: string;
  #calls = 0;
  /** Number of calls that ended without success; each may have reset its stream. */
  #unsuccessful = 0;
  #pinging: NodeJS.Timeout | undefined;
  #lost: string | undefined;

  /** @param onUnusable called when it accepts no further calls */
  constructor({ session, socket }: OpenSession, authority: string, onUnusable: () => void) {
    this.#session = session;
    this.#authority = authority;
    const onClose = (): void => {
      clearTimeout(this.#pinging);
      session.destroy();
      socket.destroy();
      onUnusable();
    };
    const onError = ({ message }: Error): void => {
      this.#lost ??= message;
      onClose();
    };
    session.once('goaway', onUnusable);
    // Node does not report each error of a socket as one of its session.
    for (const emitter of [session, socket]) emitter.on('error', onError).once('close', onClose);
  }

  get isUsable(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /** Whether so many of its calls were cancelled that a new connection should follow. */
  get isWorn(): boolean {
    return this.#unsuccessful >= UNSUCCESSFUL_MAX;
  }

  /** Why the connection broke; undefined while there is one. */
  get lost(): string | undefined {
    return this.#session.destroyed ? (this.#lost ?? 'connection dropped') : undefined;
  }

  /** Starts a call. Its owner reports its end to `ended`. */
  open(path: string, headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': path,
      ':authority': this.#authority,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'bigtrace-bridge',
      ...headers,
    });
    if (this.#calls++ === 0) this.#schedulePing();
    return stream;
  }

  ended(isSuccess: boolean): void {
    if (!isSuccess) this.#unsuccessful++;
    if (--this.#calls === 0) clearTimeout(this.#pinging);
  }

  /** Ends the connection after its calls. */
  close(): void {
    this.#session.close();
  }

  #schedulePing(): void {
    clearTimeout(this.#pinging);
    this.#pinging = setTimeout(() => this.#ping(), PING_EVERY_MS).unref();
  }

  #ping(): void {
    if (this.#session.destroyed) return;
    let isAnswered = false;
    this.#session.ping((error) => {
      isAnswered = true;
      if (error === null && this.#calls > 0) this.#schedulePing();
    });
    const timedOut = (): void => {
      if (isAnswered) return;
      this.#lost ??= `no response to a ping within ${PING_MS_MAX / 1000} s`;
      this.#session.destroy();
    };
    // If this process was blocked, the response may be in the socket: it is read before an immediate callback runs.
    this.#pinging = setTimeout(() => setImmediate(timedOut), PING_MS_MAX).unref();
  }
}

export interface OpenSession {
  session: ClientHttp2Session;
  socket: Socket;
}

/** Resolves to a session that has received the settings of its server. Aborting `signal` ends it before that. */
export function openSession(
  target: Target,
  endpoint: Endpoint,
  tls: TlsOptions,
  signal: AbortSignal,
): Promise<OpenSession> {
  const socket = openSocket(target, endpoint, tls);
  return new Promise((resolve, reject) => {
    // Each request names the authority itself: not each address of an orchestrator can be part of a URL.
    const session = connectHttp2(tls === undefined ? 'http://localhost' : 'https://localhost', {
      createConnection: () => socket,
      settings: { initialWindowSize: RECEIVE_WINDOW_BYTES, enablePush: false },
      maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER,
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    const fail = (error: Error): void => {
      reject(error);
      session.destroy();
      socket.destroy();
    };
    const onClose = (): void => fail(new Error('connection closed before it was established'));
    signal.addEventListener('abort', onClose, { once: true });
    session.once('connect', () => session.setLocalWindowSize(RECEIVE_WINDOW_BYTES));
    const emitters = [session, socket];
    for (const emitter of emitters) emitter.on('error', fail).once('close', onClose);
    session.once('remoteSettings', () => {
      signal.removeEventListener('abort', onClose);
      for (const emitter of emitters) emitter.off('error', fail).off('close', onClose);
      resolve({ session, socket });
    });
  });
}

function openSocket(target: Target, endpoint: Endpoint, tls: TlsOptions): Socket {
  if (tls === undefined) return connectTcp(endpoint);
  // An IP address may be no server name (RFC 6066).
  const servername = tls.servername ?? (isIP(target.host) === 0 ? target.host : undefined);
  const names = servername === undefined ? {} : { servername };
  return connectTls({ ...tls, ...names, host: target.host, ...endpoint, ALPNProtocols: ['h2'] });
}
