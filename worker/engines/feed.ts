/** Feeds the bytes of a trace to an engine thread as fast as it parses them, within the time limit of a load. */
import { type Engine, ReadAgain, type ReadingOptions } from '../../lib/engine/index.ts';
import { type LoadBound, LoadWatch } from './load-watch.ts';
import { type MemoryBound, withNeededMemory } from './needed-memory.ts';
import { type Call, expected, type FinalReply, type ProgressReply } from './thread-call.ts';
import { type ReadFacts, type ThreadRequest, UNPARSED_BYTES_MAX } from './thread-protocol.ts';

export interface LoadOptions extends MemoryBound {
  loadBound: LoadBound;
  reading: ReadingOptions;
  /** The engine with 64-bit memory, if the trace needs it. */
  wide?: Engine;
  /** Size of the trace in bytes, if it is known before all of it is read. */
  traceBytes: number | undefined;
  /** Called when the load begins to wait for bytes or for the engine. */
  onPhase: (phase: 'READING' | 'PARSING') => void;
}

export interface Loaded {
  /** Milliseconds spent parsing or restoring, without waiting for bytes. */
  loadMs: number;
  /** Number of bytes of the trace that were read; 0 for a snapshot. */
  traceBytes: number;
  /** Findings of the reading; undefined for a snapshot. */
  read?: ReadFacts;
}

/** The operations of an engine thread that feeding needs. */
export interface FeedThread {
  /** Begins the load's call to the thread. */
  begin(onProgress: (reply: ProgressReply) => void): { call: Call; done: Promise<FinalReply> };
  post(request: ThreadRequest, transfer?: ArrayBuffer[]): void;
  /** Abandons the call: it fails with `thrown`. */
  abandon(call: Call, thrown: unknown): void;
  /** Returns a function that measures the processor time of the thread since now, in milliseconds. */
  cpuMsFromNow(): () => number | undefined;
}

/** Loads a trace from `chunks`. @throws the errors of EngineThread.load */
export async function feed(
  thread: FeedThread,
  chunks: AsyncIterable<Uint8Array>,
  options: LoadOptions,
): Promise<Loaded> {
  const feeding = new Feeding(thread, options);
  try {
    return await feeding.run(chunks);
  } catch (thrown) {
    const { traceBytes } = options;
    throw withNeededMemory(thrown, options, { traceBytes, parsedBytes: feeding.parsedBytes });
  }
}

class Feeding {
  readonly #thread: FeedThread;
  readonly #options: LoadOptions;
  readonly #call: Call;
  readonly #done: Promise<FinalReply>;
  readonly #callEnded: Promise<'over'>;
  readonly #watch: LoadWatch;
  #traceBytes = 0;
  /** Sizes of the chunks that the thread has not parsed yet, in order. */
  readonly #unparsed: number[] = [];
  #unparsedBytes = 0;
  /** Whether the thread was told that there are no more bytes. */
  #ended = false;
  /** Wakes #passAll when the thread has parsed a chunk. */
  #wake = (): void => {};

  constructor(thread: FeedThread, options: LoadOptions) {
    this.#thread = thread;
    this.#options = options;
    options.onPhase('READING');
    const { call, done } = thread.begin((reply) => this.#onProgress(reply));
    this.#call = call;
    this.#done = done;
    const ended = (): 'over' => 'over';
    this.#callEnded = done.then(ended, ended);
    this.#watch = new LoadWatch({
      ...{ bound: options.loadBound, traceBytes: options.traceBytes, cpuMs: thread.cpuMsFromNow() },
      onOver: (thrown) => thread.abandon(call, thrown),
    });
  }

  /** Bytes that the engine has parsed, including the chunk that it works on. */
  get parsedBytes(): number {
    const [current = 0] = this.#unparsed;
    return this.#traceBytes - this.#unparsedBytes + current;
  }

  async run(chunks: AsyncIterable<Uint8Array>): Promise<Loaded> {
    const { memoryBytesMax, reading, wide } = this.#options;
    const engine = wide === undefined ? {} : { wide };
    this.#thread.post({ type: 'open', memoryBytesMax, reading, ...engine });
    const source = chunks[Symbol.asyncIterator]();
    try {
      await this.#passAll(source);
      if (this.#call.active) {
        this.#ended = true;
        this.#busy();
        this.#thread.post({ type: 'finalize' });
      }
      await this.#callEnded;
    } catch (thrown) {
      this.#thread.abandon(this.#call, thrown);
    } finally {
      this.#watch.idle();
      // Not awaited: a store that hangs must not delay the error.
      source.return?.()?.catch(() => {});
    }
    const final = await this.#done;
    if (final.type === 'again') throw new ReadAgain(final.mode);
    const { loadMs, read } = expected(final, 'loaded');
    const from = { loadMs, traceBytes: this.#traceBytes };
    return read === undefined ? from : { ...from, read };
  }

  /** Posts chunks to the thread until there are no more, or the call has ended. */
  async #passAll(source: AsyncIterator<Uint8Array>): Promise<void> {
    while (this.#call.active) {
      const next = await Promise.race([source.next(), this.#callEnded]);
      if (next === 'over' || next.done === true) return;
      this.#append(next.value);
      while (this.#unparsedBytes > UNPARSED_BYTES_MAX && this.#call.active) {
        const room = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await Promise.race([room, this.#callEnded]);
      }
    }
  }

  #append(bytes: Uint8Array): void {
    this.#traceBytes += bytes.byteLength;
    if (this.#unparsedBytes === 0) this.#busy();
    this.#unparsedBytes += bytes.byteLength;
    this.#unparsed.push(bytes.byteLength);
    this.#thread.post({ type: 'append', bytes }, transferable(bytes));
  }

  #onProgress(reply: ProgressReply): void {
    if (reply.type !== 'appended') return;
    this.#unparsedBytes -= reply.byteLength;
    this.#unparsed.shift();
    // After the last chunk, the parser still works on the end of the trace.
    if (this.#unparsedBytes === 0 && !this.#ended) {
      this.#watch.idle();
      this.#options.onPhase('READING');
    }
    this.#wake();
  }

  #busy(): void {
    this.#watch.busy(this.#traceBytes);
    this.#options.onPhase('PARSING');
  }
}

/** Transfers a chunk that has a buffer for itself; a chunk of a larger buffer is copied. */
function transferable({ buffer, byteLength }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}
