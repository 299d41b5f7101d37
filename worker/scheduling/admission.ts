/**
 * Admits tasks to the resources that they share: lookups, memory, reads, requests to a store, and threads. A task
 * acquires its permits in this order only (`Rank`), so a task that holds the last kind waits for none, and
 * there is no deadlock.
 */
import type { TraceStores } from '../../lib/trace-store/index.ts';
import { type MemoryPermit, MemoryPermits } from './memory-permits.ts';
import { type Permit, Permits } from './permits.ts';
import { type ThreadPermit, type ThreadPermitOptions, ThreadPermits } from './thread-permits.ts';
import type { Turn } from './turns.ts';

/** Maximum number of lookups in stores at the same time; they mostly wait for the store. */
const LOOKUPS_MAX = 128;
/** Traces that are read while others are parsed, for each thread: enough to hide the time until the first byte. */
const READS_PER_THREAD = 8;

/** What a task's thread is for: the rows of a trace, or column finding. */
export type ThreadClass = 'rows' | 'columns';

export interface AdmissionOptions extends ThreadPermitOptions {
  /** Returns the maximum number of concurrent requests to a store; undefined: unlimited. */
  stores: Pick<TraceStores, 'requestsMax'>;
  /** Maximum bytes of all engines. */
  memoryBytesMax: number;
}

/** The permit for a resource without a limit. */
const UNBOUNDED: Permit = { release: () => {}, offer: () => {} };

/** Order of acquisition: a task that holds a permit must not wait for one of the same or a lower rank. */
const RANK = { lookup: 1, memory: 2, read: 3, request: 4, thread: 5 } as const;
type Rank = keyof typeof RANK;

export class Admission {
  /** Threads for rows. */
  readonly threads: ThreadPermits;
  /** Threads for column finding, half as many: a user who writes a query waits for its columns. */
  readonly columnThreads: ThreadPermits;
  /** Memory for large traces. */
  readonly memory: MemoryPermits;
  readonly #lookups = new Permits(LOOKUPS_MAX);
  readonly #reads: Permits;
  readonly #requests = new Map<string, Permits>();
  readonly #stores: AdmissionOptions['stores'];

  constructor({ stores, memoryBytesMax, ...options }: AdmissionOptions) {
    this.#stores = stores;
    this.memory = new MemoryPermits(memoryBytesMax, options.threads);
    this.threads = new ThreadPermits(options);
    this.columnThreads = new ThreadPermits({
      ...options,
      threads: Math.ceil(options.threads / 2),
    });
    this.#reads = new Permits(READS_PER_THREAD * options.threads);
  }

  /** Number of tasks that hold a thread. */
  get running(): number {
    return this.threads.taken + this.columnThreads.taken;
  }

  /** Whether no task holds a thread or waits for one. */
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
      memory_reserved: this.memory.takenBytes,
      memory_waiting: this.memory.waiting,
      lookups: this.#lookups.taken,
      lookups_waiting: this.#lookups.waiting,
      reads_ahead: this.#reads.taken,
      reads_ahead_waiting: this.#reads.waiting,
      store_requests: sum(({ taken }) => taken),
      store_requests_waiting: sum(({ waiting }) => waiting),
    };
  }

  /** Returns the permits of one task. */
  task(turn: Turn, threadClass: ThreadClass, signal: AbortSignal): TaskPermits {
    const threads = threadClass === 'rows' ? this.threads : this.columnThreads;
    return new TaskPermits({
      lookup: () => this.#lookups.acquire(turn, signal),
      read: () => this.#reads.acquire(turn, signal),
      request: async (address) => this.#requestsTo(address)?.acquire(turn, signal) ?? UNBOUNDED,
      memory: (bytes) => this.memory.acquire(bytes, turn, signal),
      thread: () => threads.acquire(turn, signal),
    });
  }

  /** Returns the permits for requests to the store of an address; undefined if they are not limited. */
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

/** Functions that acquire each kind of permit for one task. */
interface Acquire {
  lookup(): Promise<Permit>;
  read(): Promise<Permit>;
  request(address: string): Promise<Permit>;
  memory(bytes: number): Promise<MemoryPermit>;
  thread(): Promise<ThreadPermit>;
}

/** Acquires and tracks the permits of one task. */
export class TaskPermits {
  readonly #acquire: Acquire;
  readonly #held = new Set<Rank>();

  constructor(acquire: Acquire) {
    this.#acquire = acquire;
  }

  /**
   * Runs `work`, a lookup in the store of `address`, with a lookup and a request permit.
   * @throws the signal's reason, what `work` throws
   */
  async lookup<Value>(address: string, work: () => Promise<Value>): Promise<Value> {
    const lookup = await this.#take('lookup', this.#acquire.lookup);
    try {
      const request = await this.#take('request', () => this.#acquire.request(address));
      try {
        return await work();
      } finally {
        request.release();
      }
    } finally {
      lookup.release();
    }
  }

  /**
   * Acquires the permits for reading a trace; the result releases or offers both together.
   * @throws the signal's reason
   */
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

  /** Reserves memory. @throws the signal's reason */
  memory(bytes: number): Promise<MemoryPermit> {
    return this.#take('memory', () => this.#acquire.memory(bytes));
  }

  /** Acquires a thread. @throws the signal's reason */
  thread(): Promise<ThreadPermit> {
    return this.#take('thread', this.#acquire.thread);
  }

  /**
   * Acquires a permit of the given rank.
   * @throws Error if the task holds one of the same or a higher rank, which is a bug
   */
  async #take<Held extends { release(): void }>(
    rank: Rank,
    acquire: () => Promise<Held>,
  ): Promise<Held> {
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
