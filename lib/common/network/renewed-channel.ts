/**
 * Replaces a gRPC connection before too many of its calls were cancelled. An HTTP/2 server of Node closes a connection, and
 * with it every call, whose client has reset 1000 streams (and 33 for each second); it is the server's defence against
 * CVE-2023-44487 and has no option in Node 20. A connection between services carries the calls of many users: one user who
 * abandons queries must not end those of others.
 */
import * as grpc from '@grpc/grpc-js';

/** Calls of one connection that may end without success; each may have reset its stream. Those that run may follow. */
const UNSUCCESSFUL_MAX = 500;

type Call = ReturnType<grpc.ChannelInterface['createCall']>;

interface Connection {
  channel: grpc.ChannelInterface;
  /** Number of calls that have not ended. */
  calls: number;
  /** Number of calls that ended without success. */
  unsuccessful: number;
}

class RenewedChannel implements grpc.ChannelInterface {
  readonly #connect: () => grpc.ChannelInterface;
  #current: Connection;
  /** Connections that were replaced, and that still have calls. */
  readonly #replaced = new Set<Connection>();

  constructor(connect: () => grpc.ChannelInterface) {
    this.#connect = connect;
    this.#current = { channel: connect(), calls: 0, unsuccessful: 0 };
  }

  createCall(...parameters: Parameters<grpc.ChannelInterface['createCall']>): Call {
    if (this.#current.unsuccessful >= UNSUCCESSFUL_MAX) this.#renew();
    const connection = this.#current;
    const call = connection.channel.createCall(...parameters);
    const start = call.start.bind(call);
    call.start = (metadata, listener) => {
      connection.calls++;
      start(metadata, {
        onReceiveMetadata: (received) => listener.onReceiveMetadata(received),
        onReceiveMessage: (message) => listener.onReceiveMessage(message),
        onReceiveStatus: (status) => {
          this.#onEnd(connection, status.code);
          listener.onReceiveStatus(status);
        },
      });
    };
    return call;
  }

  #renew(): void {
    const replaced = this.#current;
    this.#current = { channel: this.#connect(), calls: 0, unsuccessful: 0 };
    if (replaced.calls === 0) replaced.channel.close();
    else this.#replaced.add(replaced);
  }

  #onEnd(connection: Connection, code: grpc.status): void {
    connection.calls--;
    if (code !== grpc.status.OK) connection.unsuccessful++;
    if (connection.calls === 0 && this.#replaced.delete(connection)) connection.channel.close();
  }

  close(): void {
    this.#current.channel.close();
    for (const { channel } of this.#replaced) channel.close();
    this.#replaced.clear();
  }

  getTarget(): string {
    return this.#current.channel.getTarget();
  }

  /** READY if any connection is: the caller may ask for a call of one that was replaced. */
  getConnectivityState(tryToConnect: boolean): grpc.connectivityState {
    const state = this.#current.channel.getConnectivityState(tryToConnect);
    const { READY } = grpc.connectivityState;
    const isReady = [...this.#replaced].some(
      (one) => one.channel.getConnectivityState(false) === READY,
    );
    return isReady ? READY : state;
  }

  watchConnectivityState(
    ...parameters: Parameters<grpc.ChannelInterface['watchConnectivityState']>
  ): void {
    this.#current.channel.watchConnectivityState(...parameters);
  }

  getChannelzRef(): ReturnType<grpc.ChannelInterface['getChannelzRef']> {
    return this.#current.channel.getChannelzRef();
  }
}

/** Options of a client whose connection is renewed. */
export const RENEWED_CONNECTION: grpc.ClientOptions = {
  channelFactoryOverride: (address, credentials, options) =>
    new RenewedChannel(
      () =>
        // Without a pool of its own, a channel shares the connection of the one that it replaces.
        new grpc.Channel(address, credentials, { ...options, 'grpc.use_local_subchannel_pool': 1 }),
    ),
};
