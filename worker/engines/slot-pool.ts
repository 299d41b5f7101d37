/**
 * The slots of a worker. How many run at once is not its matter (permits); it decides which slot a
 * trace goes to, keeps idle ones loaded within a bound of memory, and lets go of those whose trace is
 * cheapest to have again for the memory it takes (GreedyDual-Size; Cao and Irani, 1997).
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { TaskStats } from '../../lib/proto/messages.ts';
import type { Counters } from '../counters.ts';
import type { LeasedEngine } from './slot.ts';

export interface PoolOptions {
  /** Starts a thread with a fresh engine. `onGrowth` is called whenever it holds more memory than before. */
  startEngineThread: (onGrowth: () => void) => LeasedEngine;
  /** What a fresh engine takes. */
  initialBytes: number;
  /** Bound of all slots together. Of those at work, only what is beyond `threads` of them is ended for it. */
  memoryBytesMax: number;
  threads: number;
  /** Slots without a trace that an idle worker has ready: a thread takes time to start. */
  spares: number;
  counters: Counters;
  keeper: SnapshotSink;
}

/** Takes the image of a trace before it is let go. */
export interface SnapshotSink {
  shouldWrite(key: string, costMs: number): boolean;
  /** Releases the lease when it is done with the slot. */
  write(key: string, lease: Pick<Lease, 'slot' | 'release'>): Promise<void>;
}

/** Such a trace costs next to nothing, however long it took on a busy machine. */
const SMALL_TRACE_BYTES = 2 ** 18;
/** A thread with a fresh instance costs about as much as it takes to load such a trace again. */
const CHEAP_MS = 50;
/** What a slot takes beside what its engine holds: an isolate, compiled code. */
const ISOLATE_BYTES = 16 * 2 ** 20;
/** Memory never shrinks: above this an instance is not worth being given another trace. */
const REUSED_BYTES_MAX = 256 * 2 ** 20;
/** What an ordinary trace takes at most. */
const SPARE_BYTES = 256 * 2 ** 20;
/** Threads are not free either, however little their traces take. */
const SLOTS_MAX = 256;
/** A worker that had nothing to do for so long is idle. */
const IDLE_MS = 300;

interface Entry {
  slot: LeasedEngine;
  busy: boolean;
  /** Number of its lease: the larger, the later. */
  leased: number;
  /** The trace it holds or is to hold. */
  key: string | undefined;
  /** What it costs to load it; undefined until it is loaded. */
  costMs: number | undefined;
  priority: number;
}

export type LoadedFrom = Pick<TaskStats, 'loadMs' | 'traceBytes' | 'tier'>;

/** A slot that is the holder's alone, until it is released. */
export interface Lease {
  readonly slot: LeasedEngine;
  /** Whether it has the trace; else it is to be loaded. */
  readonly hasTrace: boolean;
  /** To be called once the trace is loaded. */
  loaded(from: LoadedFrom): void;
  /** Takes back marks before it lets others have it; resolves when it is theirs. */
  release(): Promise<void>;
}

export interface TakeOptions {
  /** Even where another slot has the trace. */
  evenSecond: boolean;
  /** Whether the caller can load it. */
  mayLoad: boolean;
}

/** How long a task still waits for the slot that holds its trace, kept from one `look` to the next. */
export interface Patience {
  untilMs?: number;
}

export class EnginePool {
  readonly #options: PoolOptions;
  readonly #entries = new Set<Entry>();
  /** By key: told when a slot with it begins or ends to be busy otherwise. */
  readonly #waiting = new Map<string, Set<() => void>>();
  /** GreedyDual's clock: the priority of what was last let go. */
  #floor = 0;
  #leases = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Starts slots until so many are spare, as far as they fit the bound. */
  warm(slots: number): void {
    if (this.#closed) return;
    for (let spares = this.#spares; spares < slots && !this.#full; spares++) this.#start();
    this.#warmWhenIdle();
  }

  /** One at a time, so that whoever comes meanwhile waits for little; never in the place of traces. */
  #warmWhenIdle(): void {
    const onIdle = (): void => {
      const busy = [...this.#entries].some((entry) => entry.busy); // who works comes back here
      const room = this.#bytes() < this.#options.memoryBytesMax / 2;
      if (!busy && room && this.#spares < this.#options.spares) this.warm(this.#spares + 1);
    };
    if (this.#idle === undefined) this.#idle = setTimeout(onIdle, IDLE_MS).unref();
    else this.#idle.refresh();
  }

  get #spares(): number {
    let spares = 0;
    for (const { busy, key, slot } of this.#entries)
      if (!busy && key === undefined && slot.state.is !== 'gone') spares++;
    return spares;
  }

  /**
   * Who has the trace: 'idle', a slot that can be asked at once; 'none'; 'busy', where waiting has taken longer
   * than to load the trace once more. Until then it waits; and while the trace is being loaded, without end,
   * as that has its own bounds of time. Nothing is leased: whoever looks has to wait for a permit, too.
   */
  async look(
    key: string,
    patience: Patience,
    signal: AbortSignal,
  ): Promise<'idle' | 'none' | 'busy'> {
    for (;;) {
      signal.throwIfAborted();
      const holder = this.#holding(key);
      if (holder === undefined) return 'none';
      if (!holder.busy) return 'idle';
      let ms = Number.POSITIVE_INFINITY;
      if (holder.costMs !== undefined) {
        const now = performance.now();
        patience.untilMs ??= now + Math.max(holder.costMs, CHEAP_MS);
        ms = patience.untilMs - now;
        if (ms <= 0) return 'busy';
      }
      await this.#changed(key, ms, signal);
    }
  }

  /**
   * A slot for the trace, for a caller who has a permit: one that has it, or, for a caller who `mayLoad`, one
   * to load it into. Undefined where there is none, and where another is at work on the trace, unless it may
   * be loaded a second time.
   */
  take(key: string, { evenSecond, mayLoad }: TakeOptions): Lease | undefined {
    const holder = this.#holding(key);
    if (holder?.busy === false) return this.#lease(holder, true);
    if (!mayLoad || (holder !== undefined && (!evenSecond || holder.costMs === undefined)))
      return undefined;
    return this.fresh(key);
  }

  /** Whether there is memory for one more trace beside those at work. */
  get hasRoom(): boolean {
    let busyBytes = 0;
    for (const { slot } of this.#busy) busyBytes += this.#slotBytes(slot.memoryBytes);
    return busyBytes + SPARE_BYTES <= this.#options.memoryBytesMax;
  }

  /** In the order they began. */
  get #busy(): Entry[] {
    const busy = [...this.#entries].filter((entry) => entry.busy);
    return busy.sort((one, other) => one.leased - other.leased);
  }

  /** A slot to load the trace into, for a caller who has a permit. */
  fresh(key: string): Lease {
    const entry = this.#forAnother();
    entry.key = key;
    entry.costMs = undefined;
    return this.#lease(entry, false);
  }

  /** The idle loaded trace that took longest to load, of those that are `wanted`. */
  costliestIdle(
    wanted: (key: string, costMs: number) => boolean,
  ): { key: string; lease: Lease } | undefined {
    let found: { key: string; entry: Entry; costMs: number } | undefined;
    for (const entry of this.#entries) {
      const { busy, key, costMs = 0 } = entry;
      if (busy || key === undefined || costMs <= (found?.costMs ?? 0)) continue;
      if (wanted(key, costMs)) found = { key, entry, costMs };
    }
    return found && { key: found.key, lease: this.#lease(found.entry, true) };
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
    clearTimeout(this.#idle);
    const entries = [...this.#entries];
    this.#entries.clear();
    await Promise.all(entries.map(({ slot }) => slot.kill('the worker stops')));
  }

  /** An idle holder before one that is loading it, and that before one that is asked. */
  #holding(key: string): Entry | undefined {
    let found: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.key !== key) continue;
      if (!entry.busy && entry.slot.state.is === 'loaded') return entry; // and holds it: see #release
      if (!entry.busy)
        this.#entries.delete(entry); // its thread died while it was idle
      else if (found === undefined || found.costMs !== undefined) found = entry;
    }
    return found;
  }

  #forAnother(): Entry {
    const victim = this.#cheapestIdle();
    if (victim === undefined) return this.#start();
    if (victim.slot.state.is === 'gone') {
      this.#entries.delete(victim);
      return this.#forAnother();
    }
    if (!this.#full && victim.key !== undefined && (victim.costMs ?? 0) >= CHEAP_MS)
      return this.#start();
    const { key, costMs = 0 } = victim;
    const reuse =
      victim.slot.memoryBytes <= REUSED_BYTES_MAX &&
      (key === undefined || !this.#options.keeper.shouldWrite(key, costMs));
    if (!reuse) {
      this.#retire(victim);
      return this.#start();
    }
    this.#letGo(victim);
    return victim;
  }

  /** Whether there is no room for one more slot. */
  get #full(): boolean {
    const bytes = this.#bytes() + this.#slotBytes(0);
    return this.#entries.size >= SLOTS_MAX || bytes > this.#options.memoryBytesMax;
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
      slot: startEngineThread(() => this.#makePlace()),
      busy: false,
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
    entry.leased = ++this.#leases;
    return {
      slot: entry.slot,
      hasTrace,
      loaded: (from) => {
        entry.costMs = this.#costMs(entry, from);
        this.#wake(entry.key); // who waited without end now waits as long as loading took
      },
      release: () => this.#release(entry),
    };
  }

  async #release(entry: Entry): Promise<void> {
    const { slot, key } = entry;
    // What could not be taken back is not kept: the state says so.
    if (slot.state.is === 'dirty') await slot.rollback().catch(() => {});
    entry.busy = false;
    if (slot.state.is === 'gone') {
      this.#entries.delete(entry);
      this.#options.counters.add('threads_killed');
      entry.key = undefined;
    } else if (slot.state.is === 'loaded' && slot.state.key === entry.key) {
      const megabytes = this.#slotBytes(slot.memoryBytes) / 2 ** 20;
      entry.priority = this.#floor + (entry.costMs ?? 0) / megabytes;
    } else {
      // It holds nothing, or still the trace from before: who was to load another left without doing so.
      entry.key = undefined;
      entry.priority = 0; // the first to be used again
    }
    this.#wake(key);
    this.#makePlace();
    this.#warmWhenIdle();
  }

  /** Ends idle slots until all fit the bound. */
  #makePlace(): void {
    while (this.#bytes() > this.#options.memoryBytesMax) {
      const victim = this.#cheapestIdle();
      if (victim === undefined) {
        this.#endLatest();
        return;
      }
      this.#retire(victim);
    }
  }

  /** Where only slots at work are left, the last to begin makes way, if it runs beside all the threads. */
  #endLatest(): void {
    const busy = this.#busy;
    const { threads, memoryBytesMax } = this.#options;
    const latest = busy.at(-1);
    if (latest === undefined || busy.length <= threads) return;
    this.#entries.delete(latest);
    const detail = `the memory of the worker (--memory-bytes ${memoryBytesMax}) is taken by traces that began before`;
    void latest.slot.kill('its memory is needed', new BigtraceError('out_of_memory', detail));
  }

  /** Ends an idle slot, after the image of its trace was taken where there is to be one. */
  #retire(entry: Entry): void {
    const { slot, key, costMs = 0 } = entry;
    this.#entries.delete(entry);
    this.#letGo(entry);
    const end = (): Promise<void> => slot.kill('its memory is needed');
    const { keeper } = this.#options;
    if (key === undefined || !keeper.shouldWrite(key, costMs)) void end();
    else void keeper.write(key, { slot, release: end });
  }

  #letGo(entry: Entry): void {
    if (entry.key === undefined) return;
    this.#floor = Math.max(this.#floor, entry.priority);
    this.#options.counters.add('evictions');
    entry.key = undefined;
  }

  #bytes(): number {
    let bytes = 0;
    for (const { slot } of this.#entries) bytes += this.#slotBytes(slot.memoryBytes);
    return bytes;
  }

  #slotBytes(memoryBytes: number): number {
    return ISOLATE_BYTES + Math.max(memoryBytes, this.#options.initialBytes);
  }

  #costMs({ slot }: Entry, { tier, loadMs, traceBytes }: LoadedFrom): number {
    const grown = slot.memoryBytes > this.#options.initialBytes;
    return tier === 'parse' && traceBytes < SMALL_TRACE_BYTES && !grown ? 0 : loadMs;
  }

  /** Resolves when a slot with the trace changes, after `ms`, or when the signal is aborted. */
  #changed(key: string, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        if (waiting.size === 0) this.#waiting.delete(key);
        resolve();
      };
      const timer = Number.isFinite(ms) ? setTimeout(done, ms) : undefined;
      signal.addEventListener('abort', done, { once: true });
      waiting.add(done);
    });
  }

  #wake(key: string | undefined): void {
    if (key === undefined) return;
    for (const tell of this.#waiting.get(key) ?? []) tell();
  }
}
