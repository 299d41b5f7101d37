/**
 * The slots of a worker. How many run at once is not its matter (permits); it decides which slot a
 * trace goes to, keeps idle ones loaded within a bound of memory, and lets go of those whose trace is
 * cheapest to have again for the memory it takes (GreedyDual-Size; Cao and Irani, 1997).
 */
import type { Engine } from '../trace-processor/index.ts';
import type { Counters } from './counters.ts';
import { Slot } from './slot.ts';

export interface PoolOptions {
  engine: Engine;
  threadEntry: URL;
  /** Bound of all instances together; those at work are never ended for it. */
  memoryBytesMax: number;
  counters: Counters;
}

/** A thread with a fresh instance costs about as much as it takes to parse such a trace again. */
const CHEAP_LOAD_MS = 50;
/** An isolate and a fresh instance, before anything is loaded. */
const FRESH_BYTES = 64 * 2 ** 20;
/** Memory never shrinks: above this an instance is not worth being given another trace. */
const REUSED_BYTES_MAX = 256 * 2 ** 20;
const SLOTS_MAX = 256;

interface Entry {
  slot: Slot;
  busy: boolean;
  /** What it took to load its trace. */
  loadMs: number;
  priority: number;
  /** Resolves when it is idle again; only while busy. */
  idle: Promise<void>;
  markIdle: () => void;
}

export interface Lease {
  slot: Slot;
  /** Whether it holds the trace already. */
  resident: boolean;
  /** To be called once the trace is loaded. */
  loaded(loadMs: number): void;
  release(): void;
}

export class SlotPool {
  readonly #options: PoolOptions;
  readonly #entries = new Set<Entry>();
  /** GreedyDual's clock: the priority of what was last let go. */
  #floor = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * A slot for the trace of `key`: the one that holds it, if it is free within the time that loading
   * it once more would take, or else another. The caller has a permit.
   */
  async acquire(key: string, signal: AbortSignal): Promise<Lease> {
    const holder = this.#holding(key);
    if (holder?.busy === true) await idleWithin(holder, holder.loadMs, signal);
    signal.throwIfAborted();
    const found = this.#holding(key);
    if (found !== undefined && !found.busy) return this.#lease(found, true);
    return this.#lease(this.#forAnother(), false);
  }

  /** Whether an idle slot holds the trace. */
  has(key: string): boolean {
    return this.#holding(key)?.busy === false;
  }

  gauges(): Record<string, number> {
    const entries = [...this.#entries];
    return {
      slots: entries.length,
      slots_busy: entries.filter(({ busy }) => busy).length,
      resident_traces: entries.filter(({ slot }) => slot.state.is === 'loaded').length,
      resident_bytes: this.#bytes(),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#entries].map((entry) => this.#end(entry, 'the worker stops')));
  }

  /** An idle holder before a busy one. */
  #holding(key: string): Entry | undefined {
    let busy: Entry | undefined;
    for (const entry of this.#entries) {
      const { state } = entry.slot;
      if (!('key' in state) || state.key !== key || state.is === 'marked') continue;
      if (!entry.busy) return entry;
      if (state.is !== 'loading') busy ??= entry;
    }
    return busy;
  }

  #forAnother(): Entry {
    const victim = this.#cheapestIdle();
    const full =
      this.#entries.size >= SLOTS_MAX || this.#bytes() + FRESH_BYTES > this.#options.memoryBytesMax;
    if (victim === undefined || (!full && victim.loadMs >= CHEAP_LOAD_MS)) return this.#start();
    if (victim.slot.state.is === 'loaded') this.#options.counters.add('evictions');
    if (victim.slot.memoryBytes <= REUSED_BYTES_MAX) return victim;
    void this.#end(victim, 'its memory is given back');
    return this.#start();
  }

  #cheapestIdle(): Entry | undefined {
    let cheapest: Entry | undefined;
    for (const entry of this.#entries)
      if (!entry.busy && (cheapest === undefined || entry.priority < cheapest.priority))
        cheapest = entry;
    return cheapest;
  }

  #start(): Entry {
    if (this.#closed) throw new Error('the pool is closed');
    this.#options.counters.add('threads_started');
    const slot = new Slot(this.#options.engine, this.#options.threadEntry);
    const entry: Entry = {
      slot,
      busy: false,
      loadMs: 0,
      priority: 0,
      idle: Promise.resolve(),
      markIdle: () => {},
    };
    this.#entries.add(entry);
    return entry;
  }

  #lease(entry: Entry, resident: boolean): Lease {
    entry.busy = true;
    entry.idle = new Promise((resolve) => {
      entry.markIdle = resolve;
    });
    if (!resident) entry.loadMs = 0;
    return {
      slot: entry.slot,
      resident,
      loaded: (loadMs) => {
        entry.loadMs = loadMs;
        this.#makePlace();
      },
      release: () => this.#release(entry),
    };
  }

  #release(entry: Entry): void {
    entry.busy = false;
    const { slot } = entry;
    if (slot.state.is === 'gone') {
      this.#options.counters.add('threads_killed');
      this.#entries.delete(entry);
    } else if (slot.state.is === 'loaded') {
      const megabytes = (slot.memoryBytes + FRESH_BYTES) / 2 ** 20;
      entry.priority = this.#floor + entry.loadMs / megabytes;
    } else {
      entry.loadMs = 0;
      entry.priority = 0; // holds nothing: the first to be used again
    }
    entry.markIdle();
    this.#makePlace();
  }

  /** Ends idle slots until all fit the bound. */
  #makePlace(): void {
    while (this.#bytes() > this.#options.memoryBytesMax) {
      const victim = this.#cheapestIdle();
      if (victim === undefined) return;
      this.#floor = Math.max(this.#floor, victim.priority);
      this.#options.counters.add('evictions');
      void this.#end(victim, 'its memory is needed');
    }
  }

  #bytes(): number {
    let bytes = 0;
    for (const { slot } of this.#entries) bytes += Math.max(slot.memoryBytes, FRESH_BYTES);
    return bytes;
  }

  async #end(entry: Entry, why: string): Promise<void> {
    this.#entries.delete(entry);
    await entry.slot.kill(why);
  }
}

async function idleWithin(entry: Entry, ms: number, signal: AbortSignal): Promise<void> {
  let stop = (): void => {};
  const given = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', resolve as () => void, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', resolve as () => void);
    };
  });
  await Promise.race([entry.idle, given]);
  stop();
}
