/** The workers: found by a list of addresses or by DNS names, and polled for their status once a second. */
import { EventEmitter, setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import { type Channel, openChannel } from '../../lib/common/grpc-channel.ts';
import type { ClientCredentials } from '../../lib/common/network/client-credentials.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import { textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { WorkerState, WorkerStatus } from '../../lib/proto/messages.ts';
import { placementSeed } from '../dispatch/placement.ts';
import { isResolved, resolveTarget } from './resolve.ts';
import { connectWorker, type WorkerClient } from './worker-client.ts';

export interface FleetOptions {
  /** TLS and token settings for connections to workers. */
  workerCredentials: ClientCredentials;
  /** Each `host:port` or `dns:///host:port`. */
  workers: string[];
  /** Interval at which `dns:///` names are resolved again. */
  resolveIntervalMs: number;
  /** Time without a response after which a worker is lost. */
  workerTimeoutMs: number;
  /** Replaces the resolver of the system in tests. */
  resolve?: (target: string) => Promise<string[]>;
  /** Replaces the gRPC client in tests. */
  connect?: (address: string) => WorkerClient;
}

/** Value of WorkerState.state. */
type WorkerConnection = 'connecting' | 'ready' | 'draining' | 'lost';

/** Time that `start` waits for the first status of each worker. */
const FIRST_ANSWER_MS = 2000;
const POLL_INTERVAL_MS = 1000;
const POLL_LOST_INTERVAL_MS = 250;
/** Interval at which names are resolved while a query waits for a worker. */
const RESOLVE_WAITING_INTERVAL_MS = 1000;

/** One worker, from when it joins the fleet until it leaves. */
export class FleetWorker {
  readonly address: string;
  /** Identifies the worker in placement: a hash of its cache ID or, without one, of its address. */
  seed: number;
  client: WorkerClient;
  state: WorkerConnection = 'connecting';
  status: WorkerStatus | null = null;
  /** Why the worker is not usable. */
  reason = 'not contacted yet';
  /** Resolves when the first poll has ended, with or without a response. */
  readonly firstPoll: Promise<void>;
  #endFirstPoll: () => void = () => undefined;
  readonly #connect: () => WorkerClient;
  #gone = false;
  /** Tasks of all queries of this orchestrator that are assigned to the worker and have not ended. */
  tasksAssigned = 0;
  /** Whether one of the orchestrator's targets names the worker. One that is not named gets no new tasks. */
  named = true;
  /** Ends the pause between two polls. */
  #wake: () => void = () => undefined;
  /** Number of calls of `suspect`. The response to a poll that began before the last one proves nothing. */
  #suspicions = 0;

  constructor(address: string, connect: () => WorkerClient) {
    this.address = address;
    this.seed = placementSeed(address);
    this.#connect = connect;
    this.client = connect();
    this.firstPoll = new Promise((resolve) => {
      this.#endFirstPoll = resolve;
    });
  }

  get usable(): boolean {
    return this.state === 'ready' && this.named && !this.gone;
  }

  /** Whether the worker responded to its last poll. */
  get responds(): boolean {
    return this.state === 'ready' || this.state === 'draining';
  }

  /** Whether the worker has left the fleet. */
  get gone(): boolean {
    return this.#gone;
  }

  get threads(): number {
    return Math.max(this.status?.threads ?? 1, 1);
  }

  /** Whether an engine thread was free according to the last status. */
  get hasFreeThread(): boolean {
    return (this.status?.tasksRunning ?? 0) < this.threads;
  }

  /** Identifies the worker's engine; empty before its first status. */
  get engine(): string {
    return this.status?.engine ?? '';
  }

  get engineName(): string {
    return this.status?.engineName ?? '';
  }

  /** Maximum memory of one of its engines, in bytes; 0 if it does not report that. */
  get instanceMemoryBytes(): number {
    return this.status?.instanceMemoryBytes ?? 0;
  }

  /** Number of tasks that may be assigned on a new stream before the worker gives credits. */
  get firstCredits(): number {
    return this.status?.firstCredits ?? 0;
  }

  /** Polls the status until the worker leaves the fleet. `changed` is called when a poll changed the state. */
  async watch(timeoutMs: number, changed: () => void): Promise<void> {
    while (!this.gone) {
      const suspicions = this.#suspicions;
      const polled = await this.client.status(timeoutMs).catch(asBigtraceError);
      if (!this.gone && this.#learn(polled, suspicions === this.#suspicions)) changed();
      this.#endFirstPoll();
      if (this.gone) return;
      await this.#pause(this.state === 'lost' ? POLL_LOST_INTERVAL_MS : POLL_INTERVAL_MS);
    }
  }

  /** @param current whether `suspect` was not called since the poll began @returns whether the state changed */
  #learn(polled: WorkerStatus | BigtraceError, current: boolean): boolean {
    const before = this.state; // read after the poll: a stream may have changed it meanwhile
    if (polled instanceof BigtraceError) {
      this.state = 'lost';
      this.reason = polled.detail;
      this.#reconnect();
    } else if (current) {
      this.status = polled;
      this.seed = placementSeed(polled.cacheId || this.address);
      this.state = polled.draining ? 'draining' : 'ready';
    }
    return this.state !== before;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Replaces the connection: gRPC may keep using one whose packets are silently dropped. */
  #reconnect(): void {
    if (this.gone) return;
    this.client.close();
    this.client = this.#connect();
  }

  /** Marks the worker as lost after a stream broke; it is not used until it responds to a new poll. */
  suspect(reason: string): void {
    this.state = 'lost';
    this.reason = reason;
    this.#suspicions += 1;
    this.#wake();
  }

  leave(): void {
    this.#gone = true;
    this.#wake();
    this.client.close();
  }
}

/** Emits `change` whenever a worker joins, leaves or changes its state. */
export class Fleet extends EventEmitter<{ change: [] }> {
  readonly #options: FleetOptions;
  readonly #log: Logger;
  readonly #workers = new Map<string, FleetWorker>();
  readonly #channel: Channel;
  /** The addresses of each target when it was last resolved. */
  readonly #resolved = new Map<string, string[]>();
  readonly #closed = new AbortController();
  #resolving: NodeJS.Timeout | undefined;
  #resolves = false;
  /** When names were last resolved, in ms of `performance.now()`. */
  #resolvedAt = Number.NEGATIVE_INFINITY;

  constructor(options: FleetOptions, log: Logger) {
    super();
    this.setMaxListeners(0); // one listener per running query
    setMaxListeners(0, this.#closed.signal); // one per waiting query
    this.#options = options;
    this.#channel = openChannel(options.workerCredentials);
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

  /** Resolves when the first poll of every worker has ended, after at most FIRST_ANSWER_MS. */
  async start(): Promise<void> {
    await this.#resolve();
    const firstPolls = Promise.all(this.workers.map((worker) => worker.firstPoll));
    await Promise.race([firstPolls, sleep(FIRST_ANSWER_MS, undefined, { ref: false })]);
    if (this.#options.workers.some(isResolved) && !this.#closed.signal.aborted)
      this.#resolving = setInterval(() => void this.#resolve(), this.#options.resolveIntervalMs);
  }

  close(): void {
    this.#closed.abort();
    clearInterval(this.#resolving);
    for (const worker of this.#workers.values()) worker.leave();
    this.#workers.clear();
  }

  suspect(worker: FleetWorker, reason: string): void {
    if (worker.state !== 'ready') return;
    worker.suspect(reason);
    this.#log.warn({ worker: worker.address, reason }, 'worker lost');
    this.emit('change');
  }

  /** Marks the worker as draining because a stream reported it, before the next poll would. */
  noteDraining(worker: FleetWorker): void {
    if (worker.state !== 'ready') return;
    worker.state = 'draining';
    this.#changed(worker);
  }

  /** Waits until a worker is usable. @throws no_workers when none is within `timeoutMs`, or the reason of `signal` */
  async waitUsable(timeoutMs: number, signal: AbortSignal): Promise<FleetWorker[]> {
    if (this.usable.length > 0) return this.usable;
    const closed = this.#closed.signal;
    this.resolveSoon();
    await new Promise<void>((resolve) => {
      const resolving = setInterval(() => this.resolveSoon(), RESOLVE_WAITING_INTERVAL_MS);
      const end = (): void => {
        clearTimeout(timer);
        clearInterval(resolving);
        this.off('change', look);
        for (const one of [signal, closed]) one.removeEventListener('abort', end);
        resolve();
      };
      const look = (): void => {
        if (this.usable.length > 0) end();
      };
      const timer = setTimeout(end, timeoutMs);
      this.on('change', look);
      for (const one of [signal, closed]) one.addEventListener('abort', end);
      if (signal.aborted || closed.aborted) end();
    });
    signal.throwIfAborted();
    if (this.usable.length === 0) throw this.noWorkers();
    return this.usable;
  }

  /** Returns the `/local` directories that the usable workers report. @throws no_workers */
  async localRoots(timeoutMs: number, signal: AbortSignal): Promise<string[]> {
    const usable = await this.waitUsable(timeoutMs, signal);
    const roots = usable.flatMap(({ status }) => status?.localRoot ?? []);
    return [...new Set(roots.map(textFromBytes))];
  }

  noWorkers(): BigtraceError {
    const why = this.workers.map(({ address, state, named, reason }) => {
      if (state === 'draining') return `${address} (shutting down)`;
      return state === 'ready' && !named
        ? `${address} (no name resolves to it)`
        : `${address} (${reason})`;
    });
    const named = this.#options.workers.filter((target) => !this.#resolved.get(target)?.length);
    return new BigtraceError(
      'no_workers',
      `no worker can be reached: ${[...why, ...named.map((name) => `${name} (no address)`)].join(', ')}`,
    );
  }

  /** Resolves names once more, at most once a second: a query waits, and workers may have been started since. */
  resolveSoon(): void {
    const isDue = performance.now() - this.#resolvedAt >= RESOLVE_WAITING_INTERVAL_MS;
    if (isDue && this.#options.workers.some(isResolved)) void this.#resolve();
  }

  /** Resolves all targets; one for which the resolver has no answer keeps its last addresses. */
  async #resolve(): Promise<void> {
    if (this.#resolves || this.#closed.signal.aborted) return; // the last one takes longer than the interval
    this.#resolves = true;
    this.#resolvedAt = performance.now();
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
    this.#resolves = false;
    if (!this.#closed.signal.aborted) this.#adopt();
  }

  /** Adds the workers of new addresses. Workers without a name get no new tasks, and leave when they stop responding. */
  #adopt(): void {
    const addresses = new Set([...this.#resolved.values()].flat());
    const added = [...addresses].filter((address) => !this.#workers.has(address));
    for (const address of added) {
      const worker = new FleetWorker(address, () => this.#connect(address));
      this.#workers.set(address, worker);
      void worker.watch(this.#options.workerTimeoutMs, () => this.#changed(worker));
    }
    const changed = this.workers.filter((worker) => this.#name(worker, addresses));
    if (added.length + changed.length > 0) this.emit('change');
  }

  /**
   * Learns whether a worker still has a name. One without a name gets no new tasks, and is removed when it does not
   * respond: a pod that is shutting down has left its Service, but finishes its tasks.
   * @returns whether this changed
   */
  #name(worker: FleetWorker, addresses: Set<string>): boolean {
    const before = worker.named;
    worker.named = addresses.has(worker.address);
    if (worker.named || worker.responds) return worker.named !== before;
    this.#workers.delete(worker.address);
    worker.leave();
    this.#log.info({ worker: worker.address }, 'worker left');
    return true;
  }

  #connect(address: string): WorkerClient {
    const { connect, workerTimeoutMs } = this.#options;
    return connect?.(address) ?? connectWorker(address, workerTimeoutMs, this.#channel);
  }

  #changed(worker: FleetWorker): void {
    const { address, state, reason } = worker;
    this.#log.info({ worker: address, state, ...(state === 'lost' ? { reason } : {}) }, 'worker');
    this.#name(worker, new Set([...this.#resolved.values()].flat()));
    this.emit('change');
  }
}
