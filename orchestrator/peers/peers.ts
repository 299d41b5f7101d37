/**
 * The other orchestrators. Each has only its own queries, so calls about queries call all orchestrators, and combine
 * their responses with what this one knows.
 */
import { networkInterfaces } from 'node:os';
import { OrchestratorClient } from '../../lib/client/orchestrator-client.ts';
import type { ClientCredentials } from '../../lib/common/network/client-credentials.ts';
import { hostOf, portOf } from '../../lib/common/network/host-port.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import { resolveTarget } from '../fleet/resolve.ts';

export interface PeersOptions {
  /** Each `host:port` or `dns:///host:port`; they may include this orchestrator. */
  peers: string[];
  /** TLS and token settings for connections to them. */
  peerCredentials: ClientCredentials;
}

/** An orchestrator that has not responded within this time is left out: it may just have been killed. */
const RESPONSE_MS_MAX = 3000;
const RESOLVE_INTERVAL_MS = 1000;

export class Peers {
  readonly #options: PeersOptions;
  readonly #log: Logger;
  readonly #clients = new Map<string, OrchestratorClient>();
  /** Port of this orchestrator, by which it recognizes its own address. */
  ownPort = 0;
  #resolving: Promise<void> = Promise.resolve();
  #resolvedAt = Number.NEGATIVE_INFINITY;

  constructor(options: PeersOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  /** Returns the responses of the other orchestrators to `call`. One that does not respond is logged. */
  async responses<Response>(
    call: (client: OrchestratorClient) => Promise<Response>,
  ): Promise<Response[]> {
    if (this.#options.peers.length === 0) return [];
    await this.#resolve();
    const responses = await Promise.all(
      [...this.#clients].map(async ([address, client]) => {
        try {
          return [await call(client)];
        } catch (error) {
          this.#log.warn({ orchestrator: address, reason: String(error) }, 'no response');
          return [];
        }
      }),
    );
    return responses.flat();
  }

  /** Resolves the names again, at most once a second. */
  #resolve(): Promise<void> {
    if (performance.now() - this.#resolvedAt < RESOLVE_INTERVAL_MS) return this.#resolving;
    this.#resolvedAt = performance.now();
    this.#resolving = this.#adopt();
    return this.#resolving;
  }

  async #adopt(): Promise<void> {
    const { peers, peerCredentials } = this.#options;
    try {
      const all = (await Promise.all(peers.map(resolveTarget))).flat();
      const others = new Set(all.filter((address) => !this.#isOwn(address)));
      for (const [address, client] of this.#clients) {
        if (others.delete(address)) continue;
        client.close();
        this.#clients.delete(address);
      }
      const bounds = { connectMs: RESPONSE_MS_MAX, responseMs: RESPONSE_MS_MAX };
      for (const address of others)
        this.#clients.set(address, new OrchestratorClient(address, peerCredentials, bounds));
    } catch (error) {
      this.#log.warn({ peers, reason: String(error) }, 'orchestrator name does not resolve');
    }
  }

  #isOwn(address: string): boolean {
    if (portOf(address) !== this.ownPort) return false;
    const host = hostOf(address);
    const interfaces = Object.values(networkInterfaces()).flat();
    return host === 'localhost' || interfaces.some((one) => one?.address === host);
  }
}
