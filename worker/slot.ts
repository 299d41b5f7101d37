/**
 * One thread with one TraceProcessor, seen from the main thread: feeds it a trace, asks it, and ends it
 * where it does not stop by itself.
 */
import { Worker } from 'node:worker_threads';
import { BigtraceError, isErrorCode } from '../common/errors.ts';
import type { Engine } from '../trace-processor/index.ts';
import { nextSlotState, type SlotEvent, type SlotState } from './slot-state.ts';
import {
  type ColumnFound,
  GATE,
  GATE_BYTES,
  type ThreadData,
  type ThreadReply,
  type ThreadRequest,
  UNPARSED_BYTES_MAX,
} from './thread-protocol.ts';

/** A cancelled call may end by itself for so long; then the thread is ended, which costs it its trace. */
const GRACE_MS = 250;

export interface Loaded {
  /** Time spent parsing, without waiting for bytes. */
  loadMs: number;
  /** Of the instance, after loading. */
  memoryBytes: number;
  traceBytes: number;
}

export interface Answered {
  rows: number;
  columns: ColumnFound[];
  queryMs: number;
  memoryBytes: number;
}

/** Takes one encoded QueryResult; a promise holds up the engine until it resolves. */
export type OnResult = (
  bytes: Uint8Array,
  rows: number,
  last: boolean,
) => Promise<void> | undefined;

/** What the running call listens to. */
interface Listener {
  reply: (reply: ThreadReply) => void;
  fail: (error: unknown) => void;
}

export class Slot {
  #state: SlotState = { is: 'empty' };
  readonly #thread: Worker;
  readonly #gate: Int32Array;
  #listener: Listener | undefined;
  /** Whether requests were sent whose closing reply has not come. */
  #closed: Promise<void> | undefined;
  #markClosed: (() => void) | undefined;
  /** Resolves once the thread has ended. */
  readonly ended: Promise<void>;
  memoryBytes = 0;

  constructor(engine: Engine, threadEntry: URL) {
    const gate = new SharedArrayBuffer(GATE_BYTES);
    this.#gate = new Int32Array(gate);
    const data: ThreadData = { engine, gate };
    this.#thread = new Worker(threadEntry, { workerData: data, stdout: false, stderr: false });
    this.#thread.on('message', (reply: ThreadReply) => this.#onReply(reply));
    this.#thread.on('error', (error) => this.#onEnd(`its thread failed: ${error.message}`));
    this.ended = new Promise((resolve) => {
      this.#thread.on('exit', (code) => {
        this.#onEnd(`its thread ended with code ${code}`);
        resolve();
      });
    });
    this.#thread.unref();
  }

  get state(): SlotState {
    return this.#state;
  }

  /**
   * Makes the trace of `key` this slot's, from its bytes.
   * @throws trace_invalid, limit_exceeded, engine_crashed, the signal's reason, what `chunks` throws.
   */
  async load(
    key: string,
    chunks: AsyncIterable<Uint8Array>,
    memoryBytesMax: number,
    signal: AbortSignal,
  ): Promise<Loaded> {
    this.#advance({ event: 'load', key });
    this.#openGate();
    try {
      const loaded = await this.#feed(chunks, memoryBytesMax, signal);
      this.#advance({ event: 'loadDone' });
      this.memoryBytes = loaded.memoryBytes;
      return loaded;
    } catch (error) {
      if (this.#state.is === 'loading') this.#advance({ event: 'loadFailed' });
      throw error;
    }
  }

  async #feed(
    chunks: AsyncIterable<Uint8Array>,
    memoryBytesMax: number,
    signal: AbortSignal,
  ): Promise<Loaded> {
    let traceBytes = 0;
    let unparsed = 0;
    let room: (() => void) | undefined;
    const call = this.#call(signal, (reply) => {
      if (reply.say !== 'appended') return;
      unparsed -= reply.byteLength;
      room?.();
    });
    call.done.catch(() => room?.());
    this.#post({ ask: 'open', memoryBytesMax });
    try {
      for await (const chunk of chunks) {
        traceBytes += chunk.byteLength;
        unparsed += chunk.byteLength;
        this.#post({ ask: 'append', bytes: chunk }, transferable(chunk));
        while (unparsed > UNPARSED_BYTES_MAX && call.running) {
          await new Promise<void>((resolve) => {
            room = resolve;
          });
        }
        if (!call.running) break;
      }
    } catch (error) {
      call.abandon(error);
    }
    if (call.running) this.#post({ ask: 'finalize' });
    const reply = await call.done;
    if (reply.say !== 'loaded') throw new Error(`a load was closed by ${reply.say}`);
    return { loadMs: reply.loadMs, memoryBytes: reply.memoryBytes, traceBytes };
  }

  /**
   * Asks the loaded trace.
   * @throws sql_failed, limit_exceeded, engine_crashed, the signal's reason, what `onResult` throws.
   */
  async query(
    sql: Uint8Array,
    {
      leavesMarks,
      memoryBytesMax,
      onResult,
    }: { leavesMarks: boolean; memoryBytesMax: number; onResult: OnResult },
    signal: AbortSignal,
  ): Promise<Answered> {
    this.#advance({ event: 'query', leavesMarks });
    this.#openGate();
    const call = this.#call(signal, (reply) => {
      if (reply.say !== 'result') return;
      const { byteLength } = reply.bytes;
      try {
        const waits = onResult(reply.bytes, reply.rows, reply.last);
        if (waits === undefined) this.#letGo(byteLength);
        else
          waits.then(
            () => this.#letGo(byteLength),
            (error) => call.abandon(error),
          );
      } catch (error) {
        call.abandon(error);
      }
    });
    this.#post({ ask: 'query', sql, memoryBytesMax });
    try {
      const reply = await call.done;
      if (reply.say !== 'answered') throw new Error(`a query was closed by ${reply.say}`);
      this.memoryBytes = reply.memoryBytes;
      return reply;
    } finally {
      if (this.#state.is === 'querying') this.#advance({ event: 'queryDone' });
    }
  }

  /** Ends the thread, in whatever it is doing. */
  async kill(why: string): Promise<void> {
    this.#onEnd(why);
    await this.#thread.terminate();
  }

  #openGate(): void {
    Atomics.store(this.#gate, GATE.HELD, 0);
    Atomics.store(this.#gate, GATE.DISCARD, 0);
  }

  /** The bytes of a result were passed on. */
  #letGo(byteLength: number): void {
    Atomics.sub(this.#gate, GATE.HELD, byteLength);
    Atomics.notify(this.#gate, GATE.HELD);
  }

  /**
   * Listens until the closing reply. `done` rejects where the call fails, is aborted or abandoned, but
   * not before the thread is idle again or ended: then the slot can be used, or thrown away.
   */
  #call(signal: AbortSignal, onReply: (reply: ThreadReply) => void) {
    let settle: Listener | undefined;
    const done = new Promise<ThreadReply>((resolve, reject) => {
      settle = { reply: resolve, fail: reject };
    });
    const call = {
      done,
      running: true,
      /** Gives up: what the thread still says is dropped, and `done` rejects with `reason`. */
      abandon: (reason: unknown): void => {
        if (!call.running) return;
        call.running = false;
        void this.#stop().then(() => settle?.fail(reason));
      },
    };
    const onAbort = (): void => call.abandon(signal.reason);
    const close = (): boolean => {
      signal.removeEventListener('abort', onAbort);
      const wasRunning = call.running;
      call.running = false;
      this.#listener = undefined;
      this.#markClosed?.();
      return wasRunning;
    };
    this.#closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
    this.#listener = {
      reply: (reply) => {
        if (reply.say === 'failed') {
          if (close()) settle?.fail(failure(reply));
        } else if (reply.say === 'loaded' || reply.say === 'answered') {
          if (close()) settle?.reply(reply);
        } else if (call.running) onReply(reply);
      },
      fail: (error) => {
        if (close()) settle?.fail(error);
      },
    };
    if (this.#state.is === 'gone') this.#listener.fail(crashed(this.#state.why));
    else if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    return call;
  }

  /** Waits for the running call's end, for a while; then ends the thread. */
  async #stop(): Promise<void> {
    Atomics.store(this.#gate, GATE.DISCARD, 1);
    Atomics.store(this.#gate, GATE.HELD, 0);
    Atomics.notify(this.#gate, GATE.HELD);
    if (this.#state.is === 'loading') this.#post({ ask: 'drop' });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), GRACE_MS);
    });
    const end = await Promise.race([this.#closed, late]);
    clearTimeout(timer);
    if (end === 'late') await this.kill('it did not stop when it was told to');
  }

  #onReply(reply: ThreadReply): void {
    this.#listener?.reply(reply);
    if (reply.say === 'failed' && reply.poisoned) void this.kill(reply.detail);
  }

  #onEnd(why: string): void {
    if (this.#state.is === 'gone') return;
    this.#advance({ event: 'end', why });
    this.#listener?.fail(crashed(why));
  }

  #advance(event: SlotEvent): void {
    this.#state = nextSlotState(this.#state, event);
  }

  #post(request: ThreadRequest, transfer: ArrayBuffer[] = []): void {
    this.#thread.postMessage(request, transfer);
  }
}

function failure({ code, detail }: { code: string; detail: string }): BigtraceError {
  return new BigtraceError(isErrorCode(code) ? code : 'internal', detail);
}

function crashed(why: string): BigtraceError {
  return new BigtraceError('engine_crashed', `the engine stopped: ${why}`);
}

/** A chunk that has its buffer for itself moves; one that is part of a larger buffer is copied. */
function transferable({ buffer, byteLength }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
