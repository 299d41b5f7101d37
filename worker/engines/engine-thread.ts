/**
 * Controls one engine thread from the main thread: loads traces (feed.ts), runs scripts, and ends the thread
 * if a cancelled call does not stop by itself.
 */
import { nextTick } from 'node:process';
import { Worker } from 'node:worker_threads';
import type { BigtraceError } from '../../lib/common/errors.ts';
import {
  type Engine,
  imageKey,
  receivedSnapshot,
  type Snapshot,
  SnapshotOfOtherEngine,
  SnapshotUnreadable,
  SnapshotUnusable,
} from '../../lib/engine/index.ts';
import type { ResultColumn } from '../tasks/columns.ts';
import { type EngineEvent, type EngineState, nextEngineState } from './engine-state.ts';
import { type FeedThread, feed, type Loaded, type LoadOptions } from './feed.ts';
import {
  allowEngine,
  type Call,
  crashed,
  expected,
  type FinalReply,
  failure,
  interruptEngine,
  type ProgressReply,
} from './thread-call.ts';
import { threadCpuMs } from './thread-cpu.ts';
import {
  GATE,
  GATE_BYTES,
  type QueryRequest,
  type Size,
  type SnapshotFile,
  type ThreadData,
  type ThreadReply,
  type ThreadRequest,
} from './thread-protocol.ts';

/** Time in milliseconds for a cancelled call to stop by itself; then the thread is ended and its trace is lost. */
const GRACE_MS = 250;
/**
 * The times for machine code, which is interrupted (its trace is lost, too), so that the thread need not be ended.
 */
const INTERRUPT_MS = 40;
const INTERRUPTED_GRACE_MS = 2000;

export interface ScriptResult {
  rows: number;
  /** Undefined unless cell types were requested. */
  columns?: ResultColumn[];
  queryMs: number;
}

/** Receives one encoded QueryResult; the engine waits for a returned promise. */
export type OnResult = (result: Buffer, rows: number, last: boolean) => Promise<void> | undefined;

export interface Script extends Omit<QueryRequest, 'image'> {
  /** Key of the trace that the script is for; an engine with another trace rejects it. */
  key: string;
  onResult: OnResult;
}

/** What the pool and the holders of leases use of an engine thread. */
export type LeasedEngine = Pick<
  EngineThread,
  | 'state'
  | 'memoryBytes'
  | 'sharedBytes'
  | 'wantShared'
  | 'load'
  | 'restore'
  | 'query'
  | 'rollback'
  | 'snapshot'
  | 'kill'
>;

export class EngineThread {
  #state: EngineState = { is: 'empty' };
  #memoryBytes = 0;
  #sharedBytes = 0;
  #call: Call | undefined;
  /** The error of all calls after the thread has ended. */
  #ended: BigtraceError | undefined;
  readonly #engine: Engine;
  readonly #thread: Worker;
  readonly #gate: Int32Array;
  readonly #onGrowth: () => void;
  /** Requests that were not posted yet, and the buffers that go with them. */
  #unposted: ThreadRequest[] = [];
  #transfers: ArrayBuffer[] = [];

  /** Starts the thread. `onGrowth` is called whenever the memory of the engine grows. */
  constructor(engine: Engine, threadEntry: URL, onGrowth: () => void) {
    this.#engine = engine;
    const gate = new SharedArrayBuffer(GATE_BYTES);
    this.#gate = new Int32Array(gate);
    this.#onGrowth = onGrowth;
    const data: ThreadData = { engine, gate };
    this.#thread = new Worker(threadEntry, { workerData: data });
    this.#thread.unref();
    this.#thread.on('message', (reply: ThreadReply) => this.#onReply(reply));
    this.#thread.on('error', (error) => this.#onEnd(`its thread failed: ${error.message}`));
    this.#thread.on('exit', (code) => this.#onEnd(`its thread ended with code ${code}`));
  }

  get state(): EngineState {
    return this.#state;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** The part of the memory that all engines share which hold the trace, if they do. */
  get sharedBytes(): number {
    return this.#sharedBytes;
  }

  /** Lets the engine share the memory of its trace before its next script, if its runtime can. */
  wantShared(): void {
    Atomics.store(this.#gate, GATE.WANTED, 1);
  }

  /**
   * Loads a trace from its bytes, in place of the engine's current trace.
   * @throws trace_invalid, limit_exceeded, out_of_memory, engine_crashed, LoadTooLong, ReadAgain, the
   * signal's reason, what `chunks` throws
   */
  load(
    key: string,
    chunks: AsyncIterable<Uint8Array>,
    options: LoadOptions,
    signal: AbortSignal,
  ): Promise<Loaded> {
    const thread: FeedThread = {
      begin: (onProgress) => this.#begin(signal, onProgress),
      post: (request, transfer) => this.#post(request, transfer),
      abandon: (call, thrown) => this.#abandon(call, thrown),
      cpuMsFromNow: () => this.#cpuMsFromNow(),
    };
    return this.#loading(key, () => feed(thread, chunks, options));
  }

  /**
   * Loads a trace from the memory that another engine shares, or from a snapshot file, in place of the engine's current trace,
   * into the engine with 64-bit memory if there is one.
   * @throws SnapshotUnusable, SnapshotOfOtherEngine, limit_exceeded, engine_crashed, the signal's reason
   */
  restore(
    key: string,
    file: SnapshotFile | undefined,
    memoryBytesMax: number,
    signal: AbortSignal,
    wide?: Engine,
  ): Promise<Loaded> {
    return this.#loading(key, async () => {
      const { done } = this.#begin(signal, () => {});
      this.#post({
        type: 'restore',
        image: imageKey(key),
        file,
        memoryBytesMax,
        ...(wide === undefined ? {} : { wide }),
      });
      const final = await done;
      if (final.type === 'unusable') throw unusable(final);
      return { loadMs: expected(final, 'loaded').loadMs, traceBytes: 0 };
    });
  }

  async #loading(key: string, work: () => Promise<Loaded>): Promise<Loaded> {
    this.#checkAlive();
    this.#advance({ event: 'load', key });
    // What it shared belongs to the earlier trace, and goes first.
    this.#memoryBytes -= this.#sharedBytes;
    this.#sharedBytes = 0;
    try {
      const loaded = await work();
      this.#advance({ event: 'loadDone' });
      return loaded;
    } catch (error) {
      if (this.#state.is === 'loading') this.#advance({ event: 'loadFailed' });
      throw error;
    }
  }

  /**
   * Runs a script on the loaded trace.
   * @throws sql_failed, limit_exceeded, engine_crashed, the signal's reason, what `onResult` throws
   */
  async query({ key, onResult, ...request }: Script, signal: AbortSignal): Promise<ScriptResult> {
    this.#checkAlive();
    this.#advance({ event: 'query', key, mutatesState: request.mutatesState });
    const { call, done } = this.#begin(signal, (reply) => {
      if (reply.type !== 'result') return;
      const { bytes, rows, last } = reply;
      const { byteLength } = bytes;
      try {
        const result = Buffer.from(bytes.buffer, bytes.byteOffset, byteLength);
        const waits = onResult(result, rows, last);
        if (waits === undefined) return this.#acknowledge(byteLength);
        waits.then(
          () => this.#acknowledge(byteLength),
          (thrown) => this.#abandon(call, thrown),
        );
      } catch (thrown) {
        this.#abandon(call, thrown);
      }
    });
    this.#post({ type: 'query', ...request, image: imageKey(key) });
    try {
      return expected(await done, 'answered');
    } finally {
      if (this.#state.is === 'querying') this.#advance({ event: 'queryDone' });
    }
  }

  /** Restores the state before the first script that mutated it. @throws limit_exceeded, engine_crashed */
  async rollback(): Promise<void> {
    await this.#request({ type: 'rollback' }, 'rolledBack');
    this.#advance({ event: 'restored' });
  }

  /**
   * Takes a snapshot of the loaded trace.
   * @throws Error if the engine does not hold the trace of `key`; engine_crashed
   */
  async snapshot(key: string): Promise<Snapshot> {
    if (this.#state.is !== 'loaded' || this.#state.key !== key)
      throw new Error('an engine that does not hold the trace cannot take its snapshot');
    return receivedSnapshot((await this.#request({ type: 'snapshot' }, 'snapshot')).snapshot);
  }

  /** Ends the thread, whatever it does; a running call fails with `error`. */
  async kill(reason: string, error = crashed(reason)): Promise<void> {
    this.#onEnd(reason, error);
    interruptEngine(this.#engine, this.#gate);
    await this.#thread.terminate();
  }

  async #request<Type extends FinalReply['type']>(
    request: ThreadRequest,
    type: Type,
    signal?: AbortSignal,
  ): Promise<Extract<FinalReply, { type: Type }>> {
    const { done } = this.#begin(signal, () => {});
    this.#post(request);
    return expected(await done, type);
  }

  /**
   * Begins a call to the thread. If the call fails or is abandoned, `done` rejects only once the thread is
   * idle again or has ended, so that the engine can be used again or discarded.
   */
  #begin(
    signal: AbortSignal | undefined,
    onProgress: (reply: ProgressReply) => void,
  ): { call: Call; done: Promise<FinalReply> } {
    Atomics.store(this.#gate, GATE.UNACKNOWLEDGED, 0);
    Atomics.store(this.#gate, GATE.DISCARD, 0);
    allowEngine(this.#engine, this.#gate);
    let settle: Call['settle'] = () => {};
    let close = (): void => {};
    const done = new Promise<FinalReply>((resolve, reject) => {
      settle = (outcome) => ('reply' in outcome ? resolve(outcome.reply) : reject(outcome.thrown));
    });
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    const call: Call = { onProgress, active: true, settle, closed, close };
    this.#call = call;
    const onAbort = (): void => this.#abandon(call, signal?.reason);
    void closed.then(() => signal?.removeEventListener('abort', onAbort));
    if (this.#ended !== undefined) this.#close({ thrown: this.#ended });
    else if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    return { call, done };
  }

  /** Settles the running call after the thread's closing reply, or its end. */
  #close(outcome: { reply: FinalReply } | { thrown: unknown }): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#call = undefined;
    if (call.active) call.settle(outcome);
    call.active = false;
    call.close();
  }

  /**
   * Abandons a call: further replies are dropped, and the call fails with `thrown` once the thread has stopped it.
   */
  #abandon(call: Call, thrown: unknown): void {
    if (!call.active) return;
    call.active = false;
    void this.#stop(call).then(() => call.settle({ thrown }));
  }

  /** Makes the thread stop the call; ends the thread if it has not stopped after GRACE_MS. */
  async #stop(call: Call): Promise<void> {
    Atomics.store(this.#gate, GATE.DISCARD, 1);
    Atomics.store(this.#gate, GATE.UNACKNOWLEDGED, 0);
    Atomics.notify(this.#gate, GATE.UNACKNOWLEDGED);
    if (this.#state.is === 'loading') this.#post({ type: 'drop' });
    const interruption = setTimeout(() => interruptEngine(this.#engine, this.#gate), INTERRUPT_MS);
    const graceMs = this.#engine.code.runtime === 'native' ? INTERRUPTED_GRACE_MS : GRACE_MS;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), graceMs);
    });
    const end = await Promise.race([call.closed, late]);
    clearTimeout(interruption);
    clearTimeout(timer);
    if (end === 'late') await this.kill('it did not stop after the call was cancelled');
  }

  /** Tells the thread that the client's side has taken the bytes of a result, so that it may send more. */
  #acknowledge(byteLength: number): void {
    Atomics.sub(this.#gate, GATE.UNACKNOWLEDGED, byteLength);
    Atomics.notify(this.#gate, GATE.UNACKNOWLEDGED);
  }

  /** Returns a function that measures the thread's processor time since now, in milliseconds. */
  #cpuMsFromNow(): () => number | undefined {
    const cpuMs = (): number | undefined => threadCpuMs(Atomics.load(this.#gate, GATE.THREAD));
    const from = cpuMs() ?? 0;
    return () => {
      const to = cpuMs();
      return to === undefined ? undefined : to - from;
    };
  }

  #onReply(reply: ThreadReply): void {
    if (this.#state.is === 'gone') return;
    if ('memoryBytes' in reply) this.#resize(reply);
    if (reply.type === 'appended' || reply.type === 'result') {
      if (this.#call?.active === true) this.#call.onProgress(reply);
    } else if (reply.type === 'failed') {
      if (reply.poisoned) this.#advance({ event: 'poison' });
      this.#close({ thrown: failure(reply) });
    } else this.#close({ reply });
  }

  #resize({ memoryBytes, sharedBytes = 0 }: Size): void {
    const grown = memoryBytes > this.#memoryBytes;
    this.#memoryBytes = memoryBytes;
    this.#sharedBytes = sharedBytes;
    if (grown) this.#onGrowth();
  }

  #onEnd(reason: string, error = crashed(reason)): void {
    if (this.#state.is === 'gone') return;
    this.#ended = error;
    this.#advance({ event: 'end', reason });
    this.#close({ thrown: error });
  }

  /** The thread may have ended since the engine was leased. */
  #checkAlive(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  #advance(event: EngineEvent): void {
    this.#state = nextEngineState(this.#state, event);
  }

  /** Posts a request to the thread, in one message with those that are posted before the next step of the event loop. */
  #post(request: ThreadRequest, transfer: ArrayBuffer[] = []): void {
    if (this.#unposted.length === 0) nextTick(() => this.#flush());
    this.#unposted.push(request);
    this.#transfers.push(...transfer);
  }

  #flush(): void {
    const [requests, transfers] = [this.#unposted, this.#transfers];
    this.#unposted = [];
    this.#transfers = [];
    this.#thread.postMessage(requests, transfers);
  }
}

function unusable({
  reason,
  readable,
  otherEngine,
}: Extract<FinalReply, { type: 'unusable' }>): SnapshotUnusable {
  if (otherEngine) return new SnapshotOfOtherEngine(reason);
  return readable ? new SnapshotUnusable(reason) : new SnapshotUnreadable(reason);
}
