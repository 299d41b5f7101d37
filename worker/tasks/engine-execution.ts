/**
 * Executes a task that is not in the result cache: acquires a thread, leases an engine, loads the trace
 * unless an engine holds it, and runs the script. The trace's bytes are requested before the task waits for a
 * thread, because a task that holds a thread must not wait for a store (admission.ts).
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import {
  FIRST_READING,
  MEMORY_DAMAGED,
  ReadAgain,
  type ReadingMode,
  SnapshotOfOtherEngine,
  SnapshotUnusable,
  WASM32_BYTES_MAX,
} from '../../lib/engine/index.ts';
import type { TraceStat } from '../../lib/trace-store/index.ts';
import {
  EndedForMemory,
  type EnginePool,
  type Lease,
  type LoadedFrom,
  type WaitDeadline,
} from '../engines/engine-pool.ts';
import type { Loaded } from '../engines/feed.ts';
import { loadTrace, needsWideEngine } from '../engines/load-trace.ts';
import type { SnapshotFile } from '../engines/thread-protocol.ts';
import type { TaskPermits } from '../scheduling/admission.ts';
import type { ThreadPermit } from '../scheduling/thread-permits.ts';
import { withDeadline } from './deadline.ts';
import type { ReadAhead } from './execution/read-ahead.ts';
import { runScript } from './execution/run-script.ts';
import { TaskRead } from './execution/task-read.ts';
import { untilWideEngine } from './execution/wide-engine.ts';
import { exceeds32Bits, TaskMemory } from './task-memory.ts';
import type { CacheKeys, TaskExecutorParts, TaskRequest, TaskResult } from './task-request.ts';

/** What the pool tells about engines that hold the trace. */
type Holder = Awaited<ReturnType<EnginePool['look']>>;

const ALREADY_LOADED: LoadedFrom = { loadMs: 0, traceBytes: 0, tier: 'loaded' };

/** One task that needs an engine; `run` is called once. */
export class UncachedTask {
  readonly #parts: TaskExecutorParts;
  readonly #request: TaskRequest;
  readonly #stat: TraceStat;
  readonly #keys: CacheKeys;
  readonly #permits: TaskPermits;
  readonly #signal: AbortSignal;
  readonly #read: TaskRead;
  /** Whether a snapshot exists; 'none' also after one could not be used, so that it is not tried again. */
  #snapshot: 'unknown' | 'there' | 'none' = 'unknown';
  /** Whether the task may have the memory that another engine shares: not if it is larger than the task's bound. */
  #mayShare: boolean;
  /** Whether an engine shared the memory of the trace when the task prepared to load it. */
  #isShared = false;
  /** Whether onBegin was called. */
  #begun = false;
  #mode: ReadingMode = FIRST_READING;
  readonly #mayBeWide: boolean;
  /** Whether the trace is loaded into the engine with 64-bit memory. */
  #isWide = false;
  readonly #memory: TaskMemory;
  /** Resolves once the last lease is released. */
  #leaseEnded: Promise<void> = Promise.resolve();
  /** Whether results were passed on. */
  #passed = false;

  constructor(
    parts: TaskExecutorParts,
    request: TaskRequest,
    stat: TraceStat,
    keys: CacheKeys,
    permits: TaskPermits,
    signal: AbortSignal,
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#stat = stat;
    this.#keys = keys;
    this.#permits = permits;
    this.#signal = signal;
    const { stores } = parts;
    this.#read = new TaskRead({ stores, permits, trace: request.trace, stat });
    const { memoryBytesMax } = request.limits;
    this.#mayBeWide = parts.wide !== undefined && exceeds32Bits(memoryBytesMax);
    const bytesMax = this.#mayBeWide ? memoryBytesMax : Math.min(memoryBytesMax, WASM32_BYTES_MAX);
    this.#memory = new TaskMemory(parts, keys, permits, { bytesMax, alone: request.alone });
    // A script that reads the query history would see in a snapshot, or in shared memory, that other scripts ran before.
    if (request.script.readsQueryHistory) this.#snapshot = 'none';
    this.#mayShare = !request.script.readsQueryHistory;
  }

  /**
   * Alternates between preparing to load and trying a thread, until there is a result.
   * @throws BigtraceError; the signal's reason
   */
  async run(): Promise<TaskResult> {
    const { script, outlet } = this.#request;
    const deadline: WaitDeadline = {};
    let waitedMs = 0;
    this.#parts.snapshotWriter.asked(this.#keys.key);
    try {
      for (;;) {
        const holder = script.readsQueryHistory
          ? 'none'
          : await this.#parts.pool.look(this.#keys.key, deadline, this.#signal);
        if (holder !== 'idle') await this.#prepareToLoad();
        if (await this.#reserve(holder)) continue; // others may have loaded the trace meanwhile
        while (outlet?.full === true) await outlet.room(this.#signal);
        const from = performance.now();
        const permit = await this.#permits.thread();
        waitedMs += performance.now() - from;
        const result = await this.#withThread(permit, holder === 'busy', waitedMs);
        if (result !== undefined) return result;
      }
    } finally {
      this.#read.stop();
      void this.#leaseEnded.then(() => this.#memory.release());
    }
  }

  /**
   * Reserves memory if the trace needs more than a thread's share; the task gives up its read meanwhile. Returns
   * whether the task has to look for the trace again.
   */
  async #reserve(holder: Holder): Promise<boolean> {
    const { chunks } = this.#read;
    const head = this.#memory.dependsOnHead(this.#stat.size)
      ? await this.#read.head(this.#signal)
      : undefined;
    if (this.#read.chunks !== chunks) return true; // its permit was revoked
    const traceBytes = holder === 'idle' || this.#isShared ? undefined : this.#stat.size;
    const bytes = this.#memory.expected(traceBytes, head);
    if (this.#mayBeWide && exceeds32Bits(bytes)) this.#isWide = true;
    const reserved = this.#memory.toReserve(bytes, traceBytes);
    if (!this.#memory.lacks(reserved)) return false;
    this.#read.stop();
    await this.#read.ended;
    await this.#memory.reserve(reserved);
    return true;
  }

  /**
   * Tries to get the result with a thread. Undefined if another task loads or queries the trace, or it must
   * be read first.
   */
  async #withThread(
    permit: ThreadPermit,
    allowSecond: boolean,
    waitedMs: number,
  ): Promise<TaskResult | undefined> {
    this.#read.keep();
    const lease = this.#lease(allowSecond);
    if (lease === undefined) {
      permit.release();
      this.#read.offer();
      return undefined;
    }
    if (this.#memory.reserved) lease.hasReserved();
    this.#memory.measure(() => lease.engine.memoryBytes);
    if (!this.#begun) this.#request.onBegin(waitedMs);
    this.#begun = true;
    let result: TaskResult | undefined;
    try {
      result = await this.#onThread(lease);
      this.#memory.learn(this.#stat.size, lease.engine.memoryBytes);
    } catch (thrown) {
      if (!(await this.#repeats(thrown, lease))) throw thrown;
      this.#read.stop();
    } finally {
      // The engine is rolled back before the permits are released, but the result does not wait for that.
      this.#leaseEnded = lease.release().then(() => {
        permit.release();
        this.#memory.measure(() => 0);
        this.#parts.snapshotWriter.schedule(this.#keys.key);
      });
      if (result === undefined && !this.#signal.aborted) await this.#leaseEnded;
    }
    if (result === undefined) this.#request.onPhase('QUEUED');
    return result;
  }

  /** Whether the task is to be repeated in another way after this error; not if results were passed on. */
  async #repeats(thrown: unknown, { engine }: Lease): Promise<boolean> {
    const isCrash = thrown instanceof BigtraceError && thrown.code === 'engine_crashed';
    // An uncompressed snapshot may prove to be damaged as late as that.
    const isDropped = isCrash && (await this.#parts.snapshots.dropUncompressed(this.#keys.key));
    if (this.#passed) return false;
    // Another task may have dropped it before; each engine that shares it finds the damage for itself.
    const isLost = isDropped || (isCrash && thrown.detail.includes(MEMORY_DAMAGED));
    if (isLost && !this.#request.script.readsQueryHistory) this.#snapshot = 'unknown';
    return isLost || (thrown instanceof EndedForMemory && this.#memory.endedAt(engine.memoryBytes));
  }

  /** Leases an engine for the trace, if the task can use one now. */
  #lease(allowSecond: boolean): Lease | undefined {
    const { pool } = this.#parts;
    const { script, outlet } = this.#request;
    if (outlet?.full === true) return undefined;
    const canLoad = this.#read.chunks !== undefined || this.#snapshot === 'there' || this.#isShared;
    if (script.readsQueryHistory) return canLoad ? pool.fresh(this.#keys.key) : undefined;
    return pool.take(this.#keys.key, { allowSecond, canLoad });
  }

  /** Ensures that the trace has a snapshot, or that its bytes are being read. */
  async #prepareToLoad(): Promise<void> {
    const { pool } = this.#parts;
    this.#isShared = this.#mayShare && pool.isShared(this.#keys.key);
    if (this.#read.chunks !== undefined || this.#isShared) return;
    if (this.#snapshot !== 'none')
      this.#snapshot = (await this.#parts.snapshots.has(this.#keys.key, this.#signal))
        ? 'there'
        : 'none';
    this.#signal.throwIfAborted();
    if (this.#snapshot === 'none') await this.#read.begin();
  }

  /**
   * Loads the trace if necessary and runs the script. Undefined if the snapshot was unusable, or the trace
   * must be read in another mode.
   */
  #onThread(lease: Lease): Promise<TaskResult | undefined> {
    const { traceTimeoutMs } = this.#request.limits;
    return withDeadline(this.#signal, traceTimeoutMs, 'the trace', async (signal) => {
      if (lease.hasTrace) return this.#runScript(lease, ALREADY_LOADED, signal);
      const loaded = await this.#load(lease, signal);
      if (loaded === undefined) return undefined;
      lease.loaded(loaded);
      return this.#runScript(lease, loaded, signal);
    });
  }

  /**
   * Parses the bytes that are being read, or restores the snapshot. Undefined if the load must be repeated in
   * another way.
   */
  async #load(lease: Lease, signal: AbortSignal): Promise<LoadedFrom | undefined> {
    const { snapshots } = this.#parts;
    const { onPhase } = this.#request;
    const { key } = this.#keys;
    if (this.#isShared) {
      const shared = await this.#restoreShared(lease, signal);
      if (shared !== undefined || this.#read.chunks === undefined) return shared;
    }
    if (this.#read.chunks !== undefined) return this.#parse(lease, this.#read.chunks, signal);
    onPhase('PARSING');
    const restored = await snapshots.restore(key, (file) => this.#restore(lease, file, signal));
    signal.throwIfAborted();
    if (restored === undefined) this.#snapshot = 'none';
    return restored && { ...restored, tier: 'snapshot' };
  }

  /**
   * Restores the trace from the memory that another engine shares. Undefined if there is none any more, or if it has grown
   * beyond the task's bound: the trace may need less, and is parsed.
   */
  async #restoreShared({ engine }: Lease, signal: AbortSignal): Promise<LoadedFrom | undefined> {
    const { memoryBytesMax } = this.#request.limits;
    this.#isShared = false;
    try {
      const loaded = await engine.restore(this.#keys.key, undefined, memoryBytesMax, signal);
      this.#read.stop();
      return { ...loaded, tier: 'loaded' };
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof BigtraceError && thrown.code === 'limit_exceeded') {
        this.#mayShare = false;
        this.#snapshot = 'none';
      } else if (!(thrown instanceof SnapshotUnusable)) throw thrown;
      return undefined;
    }
  }

  /** Restores a snapshot, which may be of the engine with 64-bit memory. */
  async #restore({ engine }: Lease, file: SnapshotFile, signal: AbortSignal): Promise<Loaded> {
    const { memoryBytesMax } = this.#request.limits;
    const { key } = this.#keys;
    try {
      return await engine.restore(key, file, memoryBytesMax, signal);
    } catch (thrown) {
      if (!(thrown instanceof SnapshotOfOtherEngine) || !this.#mayBeWide) throw thrown;
      const wide = await untilWideEngine(this.#parts.wide, signal);
      return engine.restore(key, file, memoryBytesMax, signal, wide);
    }
  }

  async #parse(
    lease: Lease,
    chunks: ReadAhead,
    signal: AbortSignal,
  ): Promise<LoadedFrom | undefined> {
    const { trace, limits, onPhase } = this.#request;
    try {
      const wide = this.#isWide ? await untilWideEngine(this.#parts.wide, signal) : undefined;
      return await loadTrace(this.#parts, lease.engine, {
        ...{ key: this.#keys.key, chunks, stat: this.#stat, mode: this.#mode, wide, signal },
        ...{ trace, limits, onPhase },
      });
    } catch (thrown) {
      if (thrown instanceof ReadAgain) this.#mode = thrown.mode;
      else if (this.#mayBeWide && !this.#isWide && needsWideEngine(thrown, limits)) {
        this.#isWide = true;
        this.#memory.needs((thrown as BigtraceError).neededBytes ?? 2 * WASM32_BYTES_MAX);
      } else throw thrown;
      this.#read.stop();
      return undefined;
    }
  }

  #runScript(lease: Lease, loaded: LoadedFrom, signal: AbortSignal): Promise<TaskResult> {
    const onPassed = (): void => {
      this.#passed = true;
    };
    const [request, keys] = [this.#request, this.#keys];
    return runScript(this.#parts, { request, keys, lease, loaded, onPassed, signal });
  }
}
