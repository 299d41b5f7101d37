/** The workers there are: found by list or by name, asked how they are once a second. */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { asBigtraceError, BigtraceError } from '../common/errors.ts';
import type { Logger } from '../common/log.ts';
import { type Channel, openChannel, type PeerConfig } from '../common/peer.ts';
import type { WorkerConnection, WorkerState, WorkerStatus } from '../proto/messages.ts';
import { placeSeed } from './placement.ts';
import { isResolved, resolveTarget } from './resolve.ts';
import { connectWorker, type WorkerClient } from './worker-client.ts';

export interface FleetOptions {
  /** How workers are reached. */
  workerPeer: PeerConfig;
  /** `host:port` or `dns:///host:port`. */
  workers: string[];
  /** How often names are looked up again. */
  resolveIntervalMs: number;
  /** A worker that does not answer for this long is lost. */
  workerTimeoutMs: number;
  /** In place of the system's resolver. */
  resolve?: (target: string) => Promise<string[]>;
}

/** A worker that is slow to answer for the first time does not hold up the start. */
const FIRST_ANSWER_MS = 2000;
const POLL_INTERVAL_MS = 1000;
const POLL_LOST_INTERVAL_MS = 250;

/** One worker, as long as the fleet has it. */
export class FleetWorker {
  readonly address: string;
  /** What traces are placed by: the worker's images, or its address. */
  seed: number;
  client: WorkerClient;
  state: WorkerConnection = 'connecting';
  status: WorkerStatus | null = null;
  /** Why it is lost. */
  reason = 'not asked yet';
  /** Resolves when it was asked for the first time, whether it answered or not. */
  readonly asked: Promise<void>;
  #wasAsked: () => void = () => undefined;
  readonly #connect: () => WorkerClient;
  readonly #left = new AbortController();
  #wake = new AbortController();

  constructor(address: string, connect: () => WorkerClient) {
    this.address = address;
    this.seed = placeSeed(address);
    this.#connect = connect;
    this.client = connect();
    this.asked = new Promise((resolve) => {
      this.#wasAsked = resolve;
    });
  }

  get usable(): boolean {
    return this.state === 'ready' && !this.gone;
  }

  /** Whether it has left the fleet. */
  get gone(): boolean {
    return this.#left.signal.aborted;
  }

  get threads(): number {
    return Math.max(this.status?.threads ?? 1, 1);
  }

  /** So many traces of a query it takes before it was asked. */
  get firstCredits(): number {
    return this.status?.firstCredits ?? 0;
  }

  /** Asks for its status until it leaves. `changed` is called when its state is another. */
  async watch(timeoutMs: number, changed: () => void): Promise<void> {
    while (!this.gone) {
      const before = this.state;
      try {
        this.status = await this.client.status(timeoutMs);
        this.seed = placeSeed(this.status.cacheId || this.address);
        this.state = this.status.draining ? 'draining' : 'ready';
      } catch (error) {
        this.state = 'lost';
        this.reason = asBigtraceError(error).detail;
        this.#reconnect();
      }
      this.#wasAsked();
      if (this.gone) return;
      if (this.state !== before) changed();
      this.#wake = new AbortController();
      const interval = this.state === 'lost' ? POLL_LOST_INTERVAL_MS : POLL_INTERVAL_MS;
      const wake = AbortSignal.any([this.#wake.signal, this.#left.signal]);
      await sleep(interval, undefined, { signal: wake }).catch(() => undefined);
    }
  }

  /** A connection that swallows what it is given would never be given up by itself. */
  #reconnect(): void {
    if (this.gone) return;
    this.client.close();
    this.client = this.#connect();
  }

  /** A stream of it broke: it is not used until it has answered again. */
  suspect(reason: string): void {
    this.state = 'lost';
    this.reason = reason;
    this.#wake.abort();
  }

  leave(): void {
    this.#left.abort();
    this.client.close();
  }
}

/** Emits `change` whenever a worker joined, left or changed its state. */
export class Fleet extends EventEmitter<{ change: [] }> {
  readonly #options: FleetOptions;
  readonly #log: Logger;
  readonly #workers = new Map<string, FleetWorker>();
  readonly #channel: Channel;
  /** The addresses each target had when it was last resolved. */
  readonly #resolved = new Map<string, string[]>();
  readonly #closed = new AbortController();

  constructor(options: FleetOptions, log: Logger) {
    super();
    this.setMaxListeners(0); // one a running query
    this.#options = options;
    this.#channel = openChannel(options.workerPeer);
    this.#log = log;
  }

  get workers(): FleetWorker[] {
    return [...this.#workers.values()];
  }

  get usable(): FleetWorker[] {
    return this.workers.filter((worker) => worker.usable);
  }

  states(): WorkerState[] {
    return this.workers.map(({ address, state, status }) => ({ address, state, status }));
  }

  /** Resolves when every worker has answered, or did not in time. */
  async start(): Promise<void> {
    await this.#resolve();
    const asked = Promise.all(this.workers.map((worker) => worker.asked));
    await Promise.race([asked, sleep(FIRST_ANSWER_MS, undefined, { ref: false })]);
    if (this.#options.workers.some(isResolved)) void this.#keepResolving();
  }

  close(): void {
    this.#closed.abort();
    for (const worker of this.#workers.values()) worker.leave();
    this.#workers.clear();
  }

  suspect(worker: FleetWorker, reason: string): void {
    if (worker.state !== 'ready') return;
    worker.suspect(reason);
    this.#log.warn({ worker: worker.address, reason }, 'worker lost');
    this.emit('change');
  }

  /** A stream of it said so, earlier than it would be asked. */
  noteDraining(worker: FleetWorker): void {
    if (worker.state !== 'ready') return;
    worker.state = 'draining';
    this.#changed(worker);
  }

  /** Waits until a worker can be used. @throws no_workers, or what `signal` was aborted with */
  async waitUsable(timeoutMs: number, signal: AbortSignal): Promise<FleetWorker[]> {
    if (this.usable.length > 0) return this.usable;
    const timeout = AbortSignal.timeout(timeoutMs);
    const ended = AbortSignal.any([timeout, signal, this.#closed.signal]);
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.usable.length === 0 && !ended.aborted) return;
        this.off('change', look);
        ended.removeEventListener('abort', look);
        resolve();
      };
      this.on('change', look);
      ended.addEventListener('abort', look);
      look();
    });
    signal.throwIfAborted();
    if (this.usable.length === 0) throw this.noWorkers();
    return this.usable;
  }

  noWorkers(): BigtraceError {
    const why = this.workers.map(({ address, state, reason }) =>
      state === 'draining' ? `${address} (shutting down)` : `${address} (${reason})`,
    );
    const named = this.#options.workers.filter((target) => !this.#resolved.get(target)?.length);
    return new BigtraceError(
      'no_workers',
      `no worker can be reached: ${[...why, ...named.map((name) => `${name} (no address)`)].join(', ')}`,
    );
  }

  async #keepResolving(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await sleep(this.#options.resolveIntervalMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.#resolve();
    }
  }

  /** A name that does not resolve just now keeps the addresses it had. */
  async #resolve(): Promise<void> {
    await Promise.all(
      this.#options.workers.map(async (target) => {
        try {
          const resolve = this.#options.resolve ?? resolveTarget;
          this.#resolved.set(target, await resolve(target));
        } catch (error) {
          this.#log.warn({ target, reason: String(error) }, 'worker name does not resolve');
        }
      }),
    );
    if (!this.#closed.signal.aborted) this.#adopt(new Set([...this.#resolved.values()].flat()));
  }

  #adopt(addresses: Set<string>): void {
    let changed = false;
    for (const [address, worker] of this.#workers) {
      if (addresses.has(address)) continue;
      this.#workers.delete(address);
      worker.leave();
      changed = true;
      this.#log.info({ worker: address }, 'worker left');
    }
    for (const address of addresses) {
      if (this.#workers.has(address)) continue;
      const worker = new FleetWorker(address, () =>
        connectWorker(address, this.#options.workerTimeoutMs, this.#channel),
      );
      this.#workers.set(address, worker);
      void worker.watch(this.#options.workerTimeoutMs, () => this.#changed(worker));
      changed = true;
    }
    if (changed) this.emit('change');
  }

  #changed(worker: FleetWorker): void {
    const { address, state, reason } = worker;
    this.#log.info({ worker: address, state, ...(state === 'lost' ? { reason } : {}) }, 'worker');
    this.emit('change');
  }
}
