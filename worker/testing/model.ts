/**
 * A model of everything around the worker's scheduling, random and in virtual time: stores that are slow,
 * fail or hang, snapshots that come and go, engines that load, run scripts, trap and never end. The code that
 * admits, places and executes tasks is the worker's own.
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { Dice } from '../../lib/common/testing/dice.ts';
import { type Snapshot, SnapshotUnusable } from '../../lib/engine/index.ts';
import type { ReadOptions, TraceStat, TraceStores } from '../../lib/trace-store/index.ts';
import type { SnapshotCache } from '../cache/snapshot-cache.ts';
import { type EngineEvent, type EngineState, nextEngineState } from '../engines/engine-state.ts';
import type { LeasedEngine, Script, ScriptResult } from '../engines/engine-thread.ts';
import type { Loaded, LoadOptions } from '../engines/feed.ts';
import { LoadTooLong, loadMsMax } from '../engines/load-watch.ts';

/** Probabilities of what may go wrong, from 0 to 1. */
export interface Habits {
  dice: Dice;
  /** Requests to stores that fail. */
  storeFails: number;
  /** Requests to stores that take up to 20 s. */
  storeHangs: number;
  /** Traces that are invalid. */
  invalid: number;
  /** Traces whose load never ends by itself; scripts, a quarter as often. */
  endless: number;
  /** Calls after which the thread has ended. */
  threadDies: number;
  /** Lookups that find a snapshot of the trace. */
  snapshots: number;
  /** Snapshots that cannot be used. */
  snapshotUnusable: number;
  /** Engines that share the memory of a trace for which others wait. */
  shares: number;
}

const CHUNK = new Uint8Array(300 * 1024);
const MIB = 2 ** 20;
/** Memory that a trace takes at most. */
const TRACE_BYTES_MAX = 300 * MIB;
/** Memory of the largest engine. */
export const ENGINE_BYTES_MAX = 20 * MIB + TRACE_BYTES_MAX;
/** Memory of an engine that others do not displace. */
export const SMALL_ENGINE_BYTES_MAX = 20 * MIB + 32 * MIB;

export interface GivenTrace {
  traceBytes: number;
  /** Memory of the engine that has loaded it. */
  memoryBytes: number;
  /** Time of each script, in milliseconds. */
  queryMs: number;
}

export class ModelWorld {
  readonly habits: Habits;
  /** Maximum number of concurrent requests to the store of `/far/…`. */
  readonly requestsMax: number;
  /** Descriptions of everything that must not happen; empty if the worker is correct. */
  readonly misuses: string[] = [];
  /** Number of events of the model so far. */
  steps = 0;
  /** Number of engines that work now. */
  working = 0;
  /** Maximum of `working` so far. */
  workingMost = 0;
  /** Size of each trace that the stores report; undefined if they report none. */
  traceBytes: number | undefined;
  /** Traces, by their address, that are not random. */
  readonly given = new Map<string, GivenTrace>();
  /** Maximum memory of all engines together so far, in bytes. */
  memoryMost = 0;
  readonly #engines: ModelEngineThread[] = [];
  readonly #requests = new Set<object>();
  readonly #kinds = new Map<string, 'good' | 'invalid' | 'endless'>();

  constructor(habits: Habits, requestsMax: number) {
    this.habits = habits;
    this.requestsMax = requestsMax;
  }

  get requests(): number {
    return this.#requests.size;
  }

  /** Returns how the trace behaves; drawn once for each key. */
  kindOf(key: string): 'good' | 'invalid' | 'endless' {
    const { dice, invalid, endless } = this.habits;
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      kind = dice.chance(invalid) ? 'invalid' : dice.chance(endless) ? 'endless' : 'good';
      this.#kinds.set(key, kind);
    }
    return kind;
  }

  /**
   * Waits for a random time below `msMax` milliseconds; forever if it is infinite.
   * @throws the signal's reason
   */
  pause(msMax: number, signal?: AbortSignal): Promise<void> {
    this.steps++;
    return this.exactly(Number.isFinite(msMax) ? this.habits.dice.below(msMax) : undefined, signal);
  }

  /** Waits for a time in milliseconds; forever if it is undefined. @throws the signal's reason */
  exactly(ms: number | undefined, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = ms === undefined ? undefined : setTimeout(done, ms);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      function done(): void {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  stores(): TraceStores {
    const model: Pick<TraceStores, 'requestsMax' | 'stat' | 'read'> = {
      requestsMax: (address) =>
        address.startsWith('/far/') ? { store: 'far', requestsMax: this.requestsMax } : undefined,
      stat: async (address, signal) => {
        const end = this.#request(address);
        try {
          await this.pause(this.#storeMs(), signal);
          this.#mayFail();
          return {
            ...statOf(address),
            size: this.given.get(address)?.traceBytes ?? this.traceBytes,
          };
        } finally {
          end();
        }
      },
      read: (address, options) => this.#read(address, options),
    };
    return model as TraceStores;
  }

  async *#read(
    address: string,
    { signal }: ReadOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const end = this.#request(address);
    try {
      for (let left = CHUNK.length * (1 + this.habits.dice.below(8)); left > 0; ) {
        await this.pause(this.#storeMs(), signal);
        this.#mayFail();
        yield CHUNK;
        left -= CHUNK.length;
      }
    } finally {
      end();
    }
  }

  #request(address: string): () => void {
    if (!address.startsWith('/far/')) return () => {};
    const request = {};
    this.#requests.add(request);
    if (this.#requests.size > this.requestsMax)
      this.misuses.push(`${this.#requests.size} requests to the store at once`);
    return () => this.#requests.delete(request);
  }

  #storeMs(): number {
    return this.habits.dice.chance(this.habits.storeHangs) ? 20_000 : 20;
  }

  #mayFail(): void {
    if (this.habits.dice.chance(this.habits.storeFails))
      throw new BigtraceError('store_failed', 'as it happens');
  }

  snapshots(): SnapshotCache {
    const { dice, snapshots, snapshotUnusable } = this.habits;
    const model: Pick<
      SnapshotCache,
      'has' | 'restore' | 'wants' | 'isElsewhere' | 'writable' | 'dropUncompressed'
    > = {
      writable: false,
      has: async () => {
        await this.pause(2);
        return dice.chance(snapshots);
      },
      isElsewhere: async () => false,
      dropUncompressed: async () => false,
      wants: () => false,
      restore: async (_key, restore) => {
        await this.pause(2);
        if (dice.chance(snapshotUnusable)) return undefined;
        return restore({ path: 'snapshot', uncompressed: false }).catch((thrown: unknown) => {
          if (thrown instanceof SnapshotUnusable) return undefined;
          throw thrown;
        });
      },
    };
    return model as SnapshotCache;
  }

  engine(onGrowth: () => void): LeasedEngine {
    const engine = new ModelEngineThread(this, onGrowth);
    this.#engines.push(engine);
    return engine;
  }

  givenOf(key: string): GivenTrace | undefined {
    const [address = ''] = key.split('\0');
    return this.given.get(address);
  }

  /** Called when an engine has grown and the pool has made room. */
  grown(): void {
    const alive = this.#engines.filter(({ state }) => state.is !== 'gone');
    // What engines with the same trace share is there once.
    const sharing = alive.filter(({ sharedBytes }) => sharedBytes > 0);
    const shared = new Map(sharing.map((each) => [traceOf(each), each.sharedBytes]));
    const own = alive.reduce((sum, each) => sum + each.memoryBytes - each.sharedBytes, 0);
    const bytes = [...shared.values()].reduce((sum, each) => sum + each, own);
    this.memoryMost = Math.max(this.memoryMost, bytes);
  }

  /** Returns an engine that shares the memory of the trace. */
  sharer(key: string): LeasedEngine | undefined {
    return this.#engines.find((each) => each.sharedBytes > 0 && traceOf(each) === key);
  }
}

export function statOf(address: string): TraceStat {
  return { size: undefined, generation: `g-${address}`, modifiedMs: 0 };
}

function traceOf({ state }: LeasedEngine): string {
  return 'key' in state ? state.key : '';
}

class ModelEngineThread implements LeasedEngine {
  state: EngineState = { is: 'empty' };
  memoryBytes = 20 * MIB;
  sharedBytes = 0;
  #isWanted = false;
  readonly #world: ModelWorld;
  readonly #onGrowth: () => void;
  #ended: BigtraceError | undefined;
  #onEnd: (error: BigtraceError) => void = () => {};

  constructor(world: ModelWorld, onGrowth: () => void) {
    this.#world = world;
    this.#onGrowth = onGrowth;
  }

  load(
    key: string,
    chunks: AsyncIterable<Uint8Array>,
    { loadBound, onPhase }: LoadOptions,
    signal: AbortSignal,
  ): Promise<Loaded> {
    return this.#loading(key, signal, async () => {
      let traceBytes = 0;
      onPhase('READING');
      for await (const chunk of chunks) {
        signal.throwIfAborted();
        traceBytes += chunk.length;
        onPhase('PARSING');
        await this.#world.pause(10, signal);
        this.#checkAlive();
      }
      const kind = this.#world.kindOf(key);
      if (kind === 'invalid') throw new BigtraceError('trace_invalid', 'as it happens');
      if (kind === 'endless') await this.#never(loadMsMax(loadBound, traceBytes), signal);
      if (kind === 'endless') throw new LoadTooLong(loadBound, traceBytes);
      return { loadMs: 1 + this.#world.habits.dice.below(200), traceBytes };
    });
  }

  wantShared(): void {
    this.#isWanted = true;
  }

  restore(...[key, path, , signal]: Parameters<LeasedEngine['restore']>): Promise<Loaded> {
    return this.#loading(key, signal, async () => {
      await this.#world.pause(20, signal);
      if (path === undefined) {
        this.sharedBytes = this.#world.sharer(key)?.sharedBytes ?? 0;
        if (this.sharedBytes === 0) throw new SnapshotUnusable('no engine shares it any more');
        return { loadMs: 5, traceBytes: 0 };
      }
      if (this.#world.habits.dice.chance(this.#world.habits.snapshotUnusable))
        throw new SnapshotUnusable('as it happens');
      return { loadMs: 5, traceBytes: 0 };
    });
  }

  async #loading(key: string, signal: AbortSignal, work: () => Promise<Loaded>): Promise<Loaded> {
    this.#checkAlive();
    this.#advance({ event: 'load', key });
    this.sharedBytes = 0;
    this.#isWanted = false;
    try {
      const loaded = await this.#working(work);
      signal.throwIfAborted();
      this.memoryBytes =
        this.sharedBytes > 0
          ? this.sharedBytes + MIB
          : (this.#world.givenOf(key)?.memoryBytes ??
            20 * MIB + this.#world.habits.dice.below(TRACE_BYTES_MAX));
      this.#onGrowth();
      this.#world.grown();
      this.#checkAlive();
      this.#advance({ event: 'loadDone' });
      return loaded;
    } catch (thrown) {
      if (this.state.is === 'loading') this.#advance({ event: 'loadFailed' });
      throw thrown;
    }
  }

  async query({ key, mutatesState, onResult }: Script, signal: AbortSignal): Promise<ScriptResult> {
    const { dice, endless } = this.#world.habits;
    this.#checkAlive();
    this.#advance({ event: 'query', key, mutatesState });
    try {
      return await this.#working(async () => {
        if (this.#isWanted && this.sharedBytes === 0 && dice.chance(this.#world.habits.shares))
          this.sharedBytes = this.memoryBytes;
        this.#isWanted = false;
        const results = 1 + dice.below(3);
        const given = this.#world.givenOf(key);
        if (given !== undefined) await this.#world.exactly(given.queryMs, signal);
        for (let at = 0; at < results; at++) {
          await this.#world.pause(10, signal);
          if (dice.chance(endless / 4)) await this.#never(Number.POSITIVE_INFINITY, signal);
          this.#checkAlive();
          await onResult(Buffer.from(key), at + 1, at === results - 1);
        }
        signal.throwIfAborted();
        return { rows: results, queryMs: 1 };
      });
    } finally {
      if (this.state.is === 'querying') this.#advance({ event: 'queryDone' });
    }
  }

  async rollback(): Promise<void> {
    await this.#working(() => this.#world.pause(5)).catch(() => {});
    if (this.state.is === 'dirty') this.#advance({ event: 'restored' });
  }

  async snapshot(): Promise<Snapshot> {
    throw new Error('no image is taken in the model');
  }

  async kill(reason: string, error = new BigtraceError('engine_crashed', reason)): Promise<void> {
    if (this.state.is === 'gone') return;
    this.#ended = error;
    this.sharedBytes = 0;
    this.#advance({ event: 'end', reason });
    this.#onEnd(error);
  }

  #checkAlive(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  async #never(ms: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until) {
      await this.#world.pause(5000, signal);
      this.#checkAlive();
    }
    await this.kill('its load took too long');
  }

  /** Runs a call of the engine; afterwards the thread may die. @throws engine_crashed */
  async #working<Result>(work: () => Promise<Result>): Promise<Result> {
    const world = this.#world;
    world.workingMost = Math.max(world.workingMost, ++world.working);
    const ended = new Promise<never>((_, reject) => {
      this.#onEnd = reject;
    });
    try {
      const result = await Promise.race([work(), ended]);
      if (!world.habits.dice.chance(world.habits.threadDies)) return result;
      await this.kill('as it happens');
      throw new BigtraceError('engine_crashed', 'as it happens');
    } finally {
      this.#onEnd = () => {};
      world.working--;
    }
  }

  #advance(event: EngineEvent): void {
    try {
      this.state = nextEngineState(this.state, event);
    } catch (thrown) {
      this.#world.misuses.push((thrown as Error).message);
      throw thrown;
    }
  }
}
