/** One HTTP/2 connection to an orchestrator. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Session } from './session.ts';
import type { Stream, StreamEvents } from './stream.ts';
import type { Endpoint, Target } from './target.ts';

/** Detects a hung orchestrator within 15 s. A busy one replies to the ping sooner. */
const PING_EVERY_MS = 5000;
const PING_MS_MAX = 10_000;

/** Node closes the connection of a client that has reset 1000 streams (lib/common/network/renewed-channel.ts). */
const UNSUCCESSFUL_MAX = 500;

/** How to secure a connection; undefined: plaintext. */
export type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername'> | undefined;

/** A session that has received the settings of its server. */
export interface OpenSession {
  session: Session;
  /** Receives what happens to it from now on. */
  events: { onUnusable: () => void; onLost: (reason: string | undefined) => void };
}

export class Connection {
  readonly #session: Session;
  readonly #authority: string;
  readonly #scheme: 'http' | 'https';
  #calls = 0;
  /** Number of calls that ended without success; each may have reset its stream. */
  #unsuccessful = 0;
  #pinging: NodeJS.Timeout | undefined;
  #lost: string | undefined;

  /** @param onUnusable called when it accepts no further calls */
  constructor(
    { session, events }: OpenSession,
    { authority, scheme }: { authority: string; scheme: 'http' | 'https' },
    onUnusable: () => void,
  ) {
    this.#session = session;
    this.#authority = authority;
    this.#scheme = scheme;
    events.onUnusable = onUnusable;
    events.onLost = (reason) => {
      this.#lost ??= reason;
      clearTimeout(this.#pinging);
      onUnusable();
    };
  }

  get isUsable(): boolean {
    return this.#session.isUsable;
  }

  /** Whether so many of its calls were cancelled that a new connection should follow. */
  get isWorn(): boolean {
    return this.#unsuccessful >= UNSUCCESSFUL_MAX;
  }

  /** Why the connection broke; undefined while there is one. */
  get lost(): string | undefined {
    return this.#session.isDestroyed ? (this.#lost ?? 'connection dropped') : undefined;
  }

  /** Starts a call. Its owner reports its end to `ended`. */
  open(path: string, headers: Readonly<Record<string, string>>, events: StreamEvents): Stream {
    const stream = this.#session.open(
      {
        ':method': 'POST',
        ':scheme': this.#scheme,
        ':path': path,
        ':authority': this.#authority,
        'content-type': 'application/grpc',
        te: 'trailers',
        'user-agent': 'bigtrace-bridge',
        ...headers,
      },
      events,
    );
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
    if (this.#session.isDestroyed) return;
    let isAnswered = false;
    this.#session.ping(() => {
      isAnswered = true;
      if (this.#calls > 0) this.#schedulePing();
    });
    const timedOut = (): void => {
      if (isAnswered) return;
      this.#session.destroy(`no response to a ping within ${PING_MS_MAX / 1000} s`);
    };
    // If this process was blocked, the response may be in the socket: it is read before an immediate callback runs.
    this.#pinging = setTimeout(() => setImmediate(timedOut), PING_MS_MAX).unref();
  }
}

/** Resolves to a session that has received the settings of its server. Aborting `signal` ends it before that. */
export async function openSession(
  target: Target,
  endpoint: Endpoint,
  tls: TlsOptions,
  signal: AbortSignal,
): Promise<OpenSession> {
  const socket = await openSocket(target, endpoint, tls);
  return new Promise((resolve, reject) => {
    const events = {
      onUnusable: () => {},
      onLost: (reason: string | undefined) => reject(new Error(reason)),
    };
    const session = new Session(socket, {
      onReady: () => {
        signal.removeEventListener('abort', onAbort);
        resolve({ session, events });
      },
      onGoaway: () => events.onUnusable(),
      onClose: (reason) => events.onLost(reason),
    });
    const onAbort = (): void => session.destroy('connection closed before it was established');
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

async function openSocket(target: Target, endpoint: Endpoint, tls: TlsOptions): Promise<Socket> {
  if (tls === undefined) return connectTcp(endpoint);
  const { connect: connectTls } = await import('node:tls'); // loading it takes longer than a short query
  // An IP address may be no server name (RFC 6066).
  const servername = tls.servername ?? (isIP(target.host) === 0 ? target.host : undefined);
  const names = servername === undefined ? {} : { servername };
  return connectTls({ ...tls, ...names, host: target.host, ...endpoint, ALPNProtocols: ['h2'] });
}
