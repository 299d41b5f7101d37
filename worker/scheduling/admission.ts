/**
 * Everything a task may have to wait for in turn: lookups, reads, requests to a store, threads. A task acquires
 * them in this order only (`Rank`). Whoever holds the last of them waits for no other, so every task gets on.
 */
import type { TraceStores } from '../../lib/trace-store/index.ts';
import { type Permit, Permits } from './permits.ts';
import { type ThreadPermit, type ThreadPermitOptions, ThreadPermits } from './thread-permits.ts';
import type { Turn } from './turns.ts';

/** Questions to stores about traces at once: they take time, not work. */
const LOOKUPS_MAX = 128;
/** Traces that are read while others are parsed: as many as hide the time until the first byte comes. */
const READS_A_THREAD = 8;

/** What a query wants of its traces: their rows, or the columns that these have. */
export type ThreadClass = 'rows' | 'columns';

export interface AdmissionOptions extends ThreadPermitOptions {
  /** How many requests a store takes at once; undefined: any number. */
  stores: Pick<TraceStores, 'requestsMax'>;
}

/** A permit of what is not bounded. */
const UNBOUNDED: Permit = { release: () => {}, offer: () => {} };

/** The order of acquiring: never while something of the same or a later rank is held. */
const RANK = { lookup: 1, read: 2, request: 3, thread: 4 } as const;
type Rank = keyof typeof RANK;

export class Admission {
  /** One for each task that runs on a thread. */
  readonly threads: ThreadPermits;
  /** Finding columns has threads of its own: whoever writes a query waits for it. */
  readonly columnThreads: ThreadPermits;
  readonly #lookups = new Permits(LOOKUPS_MAX);
  readonly #reads: Permits;
  readonly #requests = new Map<string, Permits>();
  readonly #stores: AdmissionOptions['stores'];

  constructor({ stores, ...options }: AdmissionOptions) {
    this.#stores = stores;
    this.threads = new ThreadPermits(options);
    this.columnThreads = new ThreadPermits({
      ...options,
      threads: Math.ceil(options.threads / 2),
    });
    this.#reads = new Permits(READS_A_THREAD * options.threads);
  }

  /** Tasks that are on a thread. */
  get running(): number {
    return this.threads.taken + this.columnThreads.taken;
  }

  /** Whether no task is on a thread or waits for one. */
  get idle(): boolean {
    return this.running + this.threads.waiting + this.columnThreads.waiting === 0;
  }

  gauges(): Record<string, number> {
    const requests = [...this.#requests.values()];
    const sum = (of: (permits: Permits) => number): number =>
      requests.reduce((total, permits) => total + of(permits), 0);
    return {
      permits_waiting: this.threads.waiting + this.columnThreads.waiting,
      threads_long: this.threads.long + this.columnThreads.long,
      lookups: this.#lookups.taken,
      lookups_waiting: this.#lookups.waiting,
      reads_ahead: this.#reads.taken,
      reads_ahead_waiting: this.#reads.waiting,
      store_requests: sum(({ taken }) => taken),
      store_requests_waiting: sum(({ waiting }) => waiting),
    };
  }

  task(turn: Turn, lane: ThreadClass, signal: AbortSignal): TaskPermits {
    const threads = lane === 'rows' ? this.threads : this.columnThreads;
    return new TaskPermits({
      lookup: () => this.#lookups.acquire(turn, signal),
      read: () => this.#reads.acquire(turn, signal),
      request: async (address) => this.#requestsTo(address)?.acquire(turn, signal) ?? UNBOUNDED,
      thread: () => threads.acquire(turn, signal),
    });
  }

  #requestsTo(address: string): Permits | undefined {
    const bound = this.#stores.requestsMax(address);
    if (bound === undefined) return undefined;
    let permits = this.#requests.get(bound.store);
    if (permits === undefined) {
      permits = new Permits(bound.requestsMax);
      this.#requests.set(bound.store, permits);
    }
    return permits;
  }
}

/** How one task acquires each kind of permit. */
interface Acquire {
  lookup(): Promise<Permit>;
  read(): Promise<Permit>;
  request(address: string): Promise<Permit>;
  thread(): Promise<ThreadPermit>;
}

/** What one task has been admitted to. */
export class TaskPermits {
  readonly #acquire: Acquire;
  readonly #held = new Set<Rank>();

  constructor(acquire: Acquire) {
    this.#acquire = acquire;
  }

  /** Runs a question about a trace to its store. @throws the signal's reason, what `ask` throws */
  async lookup<Value>(address: string, ask: () => Promise<Value>): Promise<Value> {
    const lookup = await this.#take('lookup', this.#acquire.lookup);
    try {
      const request = await this.#take('request', () => this.#acquire.request(address));
      try {
        return await ask();
      } finally {
        request.release();
      }
    } finally {
      lookup.release();
    }
  }

  /** Admits one read of a trace. @throws the signal's reason */
  async read(address: string): Promise<Permit> {
    const read = await this.#take('read', this.#acquire.read);
    try {
      const request = await this.#take('request', () => this.#acquire.request(address));
      return {
        offer: (revoke) => {
          for (const permit of [read, request]) permit.offer(revoke);
        },
        release: () => {
          for (const permit of [read, request]) permit.release();
        },
      };
    } catch (thrown) {
      read.release();
      throw thrown;
    }
  }

  /** Admits to a thread. @throws the signal's reason */
  thread(): Promise<ThreadPermit> {
    return this.#take('thread', this.#acquire.thread);
  }

  async #take<Held extends ThreadPermit>(rank: Rank, acquire: () => Promise<Held>): Promise<Held> {
    for (const held of this.#held)
      if (RANK[held] >= RANK[rank])
        throw new Error(`a task that holds a ${held} permit must not wait for a ${rank} permit`);
    const permit = await acquire();
    this.#held.add(rank);
    return {
      ...permit,
      release: () => {
        this.#held.delete(rank);
        permit.release();
      },
    };
  }
}
