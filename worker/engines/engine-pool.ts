/**
 * Manages the engine threads of a worker. Permits decide how many run at the same time. The pool chooses the
 * engine for a trace, keeps idle engines loaded within a memory limit, and evicts the trace that is cheapest
 * to load again for the memory that it takes (GreedyDual-Size; Cao and Irani, 1997).
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { TaskStats } from '../../lib/proto/messages.ts';
import type { SnapshotSink } from '../cache/snapshot-sink.ts';
import type { Tier, WorkerCounters } from '../counters.ts';
import {
  busyVictim,
  isLarge,
  isReusable,
  threadBytes,
  threadsBytes,
} from '../scheduling/busy-victim.ts';
import { KeyWaiters } from '../scheduling/key-waiters.ts';
import type { LeasedEngine } from './engine-thread.ts';

export interface PoolOptions {
  /** Starts a thread with a fresh engine. `onGrowth` is called whenever the engine's memory grows. */
  startEngineThread: (onGrowth: () => void) => LeasedEngine;
  /** Memory of a fresh engine. */
  initialBytes: number;
  /** Maximum bytes of all engines. A busy engine is ended for it only as `#endBusy` says. */
  memoryBytesMax: number;
  threads: number;
  /** Number of engines without a trace that an idle worker keeps ready: starting a thread takes time. */
  spareEngines: number;
  counters: WorkerCounters;
  snapshotSink: SnapshotSink;
  /** Whether an engine shares the memory of the trace, so that another one can have it in milliseconds. */
  isShared: (key: string) => boolean;
}

/** A smaller trace counts as free to load, unless the engine grew: its load time shows only the machine's load. */
const SMALL_TRACE_BYTES = 2 ** 18;
/** Starting a thread takes about as long: a trace that loads faster is evicted, not kept beside a new engine. */
const CHEAP_MS = 50;
/** Memory that an ordinary trace takes at most, in bytes. */
const SPARE_BYTES = 256 * 2 ** 20;
/** Maximum number of engine threads, whatever memory they take. */
const ENGINES_MAX = 256;
/** Delay in milliseconds after the last release before the worker counts as idle. */
const IDLE_MS = 300;

/** A busy engine was ended because others needed the memory. */
export class EndedForMemory extends BigtraceError {}

interface Entry {
  engine: LeasedEngine;
  busy: boolean;
  /** Whether its holder has reserved memory. */
  reserved: boolean;
  /** Number of its last lease; later leases have larger numbers. */
  leased: number;
  /** Key of the trace that it holds or will load. */
  key: string | undefined;
  /** Time to load its trace, in milliseconds; undefined until it is loaded. */
  costMs: number | undefined;
  /** GreedyDual's priority: the lowest is evicted first. */
  priority: number;
}

export type LoadedFrom = Pick<TaskStats, 'loadMs' | 'traceBytes'> & { tier: Tier };

/** Exclusive use of an engine until the release. */
export interface Lease {
  readonly engine: LeasedEngine;
  /** Whether the engine holds the trace; otherwise the holder must load it. */
  readonly hasTrace: boolean;
  /** Must be called if the holder has reserved memory for the trace. */
  hasReserved(): void;
  /** Must be called once the trace is loaded. */
  loaded(from: LoadedFrom): void;
  /** Rolls back mutated state and returns the engine to the pool; resolves when others can lease it. */
  release(): Promise<void>;
}

export interface TakeOptions {
  /** Whether another engine may be used although one holds the trace already. */
  allowSecond: boolean;
  /** Whether the caller is able to load the trace. */
  canLoad: boolean;
}

/** Until when (performance.now()) a task waits for the busy engine with its trace; kept between calls of `look`. */
export interface WaitDeadline {
  untilMs?: number;
}

export class EnginePool {
  readonly #options: PoolOptions;
  readonly #entries = new Set<Entry>();
  /** Woken when an engine has loaded the trace of a key, or its lease is released. */
  readonly #waiters = new KeyWaiters();
  /** GreedyDual's clock: the highest priority of an evicted trace. */
  #floor = 0;
  #leases = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  /** Whether an engine shares the memory of the trace. */
  readonly isShared: (key: string) => boolean;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.isShared = options.isShared;
  }

  /** Whether an engine holds the trace, or loads it. */
  holds(key: string): boolean {
    return this.#findHolder(key) !== undefined;
  }

  /** Starts engines until `count` of them are without a trace, as far as memory allows. */
  warm(count: number): void {
    if (this.#closed) return;
    for (let spareEngines = this.#spareEngines; spareEngines < count && !this.#full; spareEngines++)
      this.#start();
    this.#warmWhenIdle();
  }

  /** Starts spare engines one at a time, so that a new task waits for at most one; never evicts a trace. */
  #warmWhenIdle(): void {
    const onIdle = (): void => {
      const busy = [...this.#entries].some((entry) => entry.busy); // a busy engine's release restarts the timer
      const room = this.#bytes() < this.#options.memoryBytesMax / 2;
      if (!busy && room && this.#spareEngines < this.#options.spareEngines)
        this.warm(this.#spareEngines + 1);
    };
    if (this.#idle === undefined) this.#idle = setTimeout(onIdle, IDLE_MS).unref();
    else this.#idle.refresh();
  }

  get #spareEngines(): number {
    let spareEngines = 0;
    for (const { busy, key, engine } of this.#entries)
      if (!busy && key === undefined && engine.state.is !== 'gone') spareEngines++;
    return spareEngines;
  }

  /**
   * Finds out whether an engine holds the trace: 'idle' if it can be leased at once, 'none' if there is no such
   * engine, 'busy' if waiting for it took longer than loading the trace again. Otherwise waits; without limit while
   * the trace is being loaded, because a load has its own time limit. Leases nothing: the caller has no permit yet.
   * @throws the signal's reason
   */
  async look(
    key: string,
    deadline: WaitDeadline,
    signal: AbortSignal,
  ): Promise<'idle' | 'none' | 'busy'> {
    for (;;) {
      signal.throwIfAborted();
      const holder = this.#findHolder(key);
      if (holder === undefined) return 'none';
      if (!holder.busy) return 'idle';
      let ms = Number.POSITIVE_INFINITY;
      if (holder.costMs !== undefined) {
        if (this.isShared(key)) return 'busy';
        holder.engine.wantShared();
        const now = performance.now();
        deadline.untilMs ??= now + Math.max(holder.costMs, CHEAP_MS);
        ms = deadline.untilMs - now;
        if (ms <= 0) return 'busy';
      }
      await this.#waiters.changed(key, ms, signal);
    }
  }

  /**
   * Leases an engine for the trace to a caller with a thread permit: an idle one that holds it, or, if the
   * caller `canLoad`, one to load it into. Returns undefined if there is none, or if another engine holds the
   * trace and `allowSecond` does not allow a second one.
   */
  take(key: string, { allowSecond, canLoad }: TakeOptions): Lease | undefined {
    const holder = this.#findHolder(key);
    if (holder?.busy === false) return this.#lease(holder, true);
    if (!canLoad || (holder !== undefined && (!allowSecond || holder.costMs === undefined)))
      return undefined;
    return this.fresh(key);
  }

  /** Whether there is memory for one more trace beside those of the busy engines. */
  get hasRoom(): boolean {
    let busyBytes = 0;
    for (const { engine } of this.#busy) busyBytes += threadBytes(engine, this.#options);
    return busyBytes + SPARE_BYTES <= this.#options.memoryBytesMax;
  }

  /** Busy engines in the order in which they were leased. */
  get #busy(): Entry[] {
    const busy = [...this.#entries].filter((entry) => entry.busy);
    return busy.sort((one, other) => one.leased - other.leased);
  }

  /** Leases an engine without the trace to a caller with a thread permit, who will load it. */
  fresh(key: string): Lease {
    const entry = this.#engineForLoad();
    entry.key = key;
    entry.costMs = undefined;
    return this.#lease(entry, false);
  }

  /** Leases the idle loaded trace that took longest to load, of those that `active` returns true for. */
  costliestIdle(
    active: (key: string, costMs: number) => boolean,
  ): { key: string; lease: Lease } | undefined {
    let best: { key: string; entry: Entry; costMs: number } | undefined;
    for (const entry of this.#entries) {
      const { busy, key, costMs = 0 } = entry;
      if (busy || key === undefined || costMs <= (best?.costMs ?? 0)) continue;
      if (active(key, costMs)) best = { key, entry, costMs };
    }
    return best && { key: best.key, lease: this.#lease(best.entry, true) };
  }

  gauges(): Record<string, number> {
    const entries = [...this.#entries];
    return {
      engines: entries.length,
      engines_busy: entries.filter(({ busy }) => busy).length,
      loaded_traces: entries.filter(({ engine }) => engine.state.is === 'loaded').length,
      loaded_bytes: this.#bytes(),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idle);
    const entries = [...this.#entries];
    this.#entries.clear();
    await Promise.all(entries.map(({ engine }) => engine.kill('the worker stops')));
  }

  /** Finds an engine with the trace: an idle one if possible, else one that loads it, else any busy one. */
  #findHolder(key: string): Entry | undefined {
    let best: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.key !== key) continue;
      if (!entry.busy && entry.engine.state.is === 'loaded') return entry; // and it holds this trace: see #release
      if (!entry.busy)
        this.#entries.delete(entry); // the thread ended while it was idle
      else if (best === undefined || best.costMs !== undefined) best = entry;
    }
    return best;
  }

  /** Returns an engine to load another trace into: a new one, or the cheapest idle one. */
  #engineForLoad(): Entry {
    const victim = this.#cheapestIdle();
    if (victim === undefined) return this.#start();
    if (victim.engine.state.is === 'gone') {
      this.#entries.delete(victim);
      return this.#engineForLoad();
    }
    if (!this.#full && victim.key !== undefined && (victim.costMs ?? 0) >= CHEAP_MS)
      return this.#start();
    if (!isReusable(victim.engine) || this.#shouldWrite(victim)) {
      this.#retire(victim);
      return this.#start();
    }
    this.#evict(victim);
    return victim;
  }

  /** Whether one more engine would exceed the memory limit or ENGINES_MAX. */
  get #full(): boolean {
    const bytes = this.#bytes() + threadBytes({ memoryBytes: 0 }, this.#options);
    return this.#entries.size >= ENGINES_MAX || bytes > this.#options.memoryBytesMax;
  }

  #cheapestIdle(): Entry | undefined {
    let cheapest: Entry | undefined;
    for (const entry of this.#entries)
      if (!entry.busy && (cheapest === undefined || entry.priority < cheapest.priority))
        cheapest = entry;
    return cheapest;
  }

  #start(): Entry {
    const { startEngineThread, counters } = this.#options;
    counters.add('threads_started');
    const entry: Entry = {
      engine: startEngineThread(() => this.#makeRoom()),
      busy: false,
      reserved: false,
      leased: 0,
      key: undefined,
      costMs: undefined,
      priority: 0,
    };
    this.#entries.add(entry);
    return entry;
  }

  #lease(entry: Entry, hasTrace: boolean): Lease {
    entry.busy = true;
    entry.reserved = false;
    entry.leased = ++this.#leases;
    return {
      engine: entry.engine,
      hasTrace,
      hasReserved: () => {
        entry.reserved = true;
      },
      loaded: (from) => {
        entry.costMs = Math.max(this.#costMs(entry, from), this.#othersCostMs(entry));
        this.#waiters.wake(entry.key); // tasks that wait without limit now wait at most as long as loading took
      },
      release: () => this.#release(entry),
    };
  }

  async #release(entry: Entry): Promise<void> {
    const { engine, key } = entry;
    // If the rollback fails, the state is not `loaded`, and the trace is dropped below.
    if (engine.state.is === 'dirty') await engine.rollback().catch(() => {});
    entry.busy = false;
    if (engine.state.is === 'gone') {
      this.#entries.delete(entry);
      this.#options.counters.add('threads_killed');
      entry.key = undefined;
    } else if (engine.state.is === 'loaded' && engine.state.key === entry.key) {
      const megabytes = threadBytes(engine, this.#options) / 2 ** 20;
      entry.priority = this.#floor + (entry.costMs ?? 0) / megabytes;
    } else {
      // It holds no trace, or still an earlier one, because the lease ended before the load began.
      entry.key = undefined;
      entry.priority = 0; // used first for the next trace
    }
    this.#waiters.wake(key);
    this.#makeRoom();
    this.#warmWhenIdle();
  }

  /** Ends idle engines until the memory limit holds. */
  #makeRoom(): void {
    while (this.#bytes() > this.#options.memoryBytesMax) {
      const victim = this.#cheapestIdle();
      if (victim !== undefined) this.#retire(victim);
      else if (!this.#endBusy()) return;
    }
  }

  /** Ends the busy engine whose memory others need. Returns whether there was one to end. */
  #endBusy(): boolean {
    const { memoryBytesMax } = this.#options;
    const victim = busyVictim(this.#busy, this.#bytes(), this.#options);
    if (victim === undefined) return false;
    this.#entries.delete(victim);
    const detail = `the memory of the worker (--memory-bytes ${memoryBytesMax}) is used by other tasks`;
    const error = new EndedForMemory('out_of_memory', detail);
    void victim.engine.kill('its memory is needed', error);
    return true;
  }

  /**
   * Ends an idle engine. If its trace should get a snapshot, that is written first, and then the engine may get another trace.
   * The snapshot of a large trace is written only while the worker is idle, because it needs as much memory again.
   */
  #retire(entry: Entry): void {
    const { engine, key } = entry;
    const { snapshotSink } = this.#options;
    const writes = !isLarge(engine, this.#options) && this.#shouldWrite(entry);
    this.#entries.delete(entry);
    this.#evict(entry);
    if (key === undefined || !writes) void engine.kill('its memory is needed');
    else void snapshotSink.write(key, { engine, release: () => this.#keep(entry) });
  }

  /** Whether the entry has a trace that should get a snapshot before it is evicted. */
  #shouldWrite({ key, costMs = 0, engine }: Entry): boolean {
    const { snapshotSink } = this.#options;
    return key !== undefined && snapshotSink.shouldWrite(key, costMs, engine.memoryBytes);
  }

  /** Keeps an engine whose trace was evicted for another trace, if there is memory for it. */
  async #keep(entry: Entry): Promise<void> {
    const { engine } = entry;
    const bytes = this.#bytes() + threadBytes(engine, this.#options);
    const ends = this.#closed || engine.state.is === 'gone' || !isReusable(engine);
    if (ends || bytes > this.#options.memoryBytesMax) return engine.kill('its memory is needed');
    entry.priority = 0; // used first
    this.#entries.add(entry);
  }

  /** Evicts the entry's trace, and advances GreedyDual's clock. */
  #evict(entry: Entry): void {
    if (entry.key === undefined) return;
    this.#floor = Math.max(this.#floor, entry.priority);
    this.#options.counters.add('evictions');
    entry.key = undefined;
  }

  #bytes(): number {
    return this.#options.snapshotSink.copyBytes + threadsBytes(this.#entries, this.#options);
  }

  /** Cost of loading the entry's trace into the engines that share its memory: this one may outlive them. */
  #othersCostMs({ engine, key }: Entry): number {
    if (engine.sharedBytes === 0) return 0;
    const others = [...this.#entries].filter((other) => other.key === key);
    return Math.max(0, ...others.map(({ costMs = 0 }) => costMs));
  }

  /** Cost of loading the trace again, in milliseconds; 0 for a small one. */
  #costMs({ engine }: Entry, { tier, loadMs, traceBytes }: LoadedFrom): number {
    const grown = engine.memoryBytes > this.#options.initialBytes;
    return tier === 'parse' && traceBytes < SMALL_TRACE_BYTES && !grown ? 0 : loadMs;
  }
}
