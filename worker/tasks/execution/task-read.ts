/** The read of a task's trace, with its permits: it begins before a thread is free, and can be given up and repeated. */
import type { TraceStat, TraceStores } from '../../../lib/trace-store/index.ts';
import type { TaskPermits } from '../../scheduling/admission.ts';
import type { Permit } from '../../scheduling/permits.ts';
import { ReadAhead } from './read-ahead.ts';

/** Bytes of a trace that are read before a thread is free for it. */
const READ_AHEAD_BYTES = 2 ** 20;

/** Bytes of a trace that tell its format. */
const HEAD_BYTES = 512;

export interface TaskReadOptions {
  stores: TraceStores;
  permits: TaskPermits;
  /** Address of the trace. */
  trace: string;
  stat: TraceStat;
}

export class TaskRead {
  readonly #options: TaskReadOptions;
  #reading: { ahead: ReadAhead; permit: Permit } | undefined;
  /** Resolves once the last read's permit is released. */
  #ended: Promise<void> = Promise.resolve();

  constructor(options: TaskReadOptions) {
    this.#options = options;
  }

  /** The chunks that are being read; undefined if nothing is, because the read has not begun or was given up. */
  get chunks(): ReadAhead | undefined {
    return this.#reading?.ahead;
  }

  /** Resolves once the last read's permit is released. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  async begin(): Promise<void> {
    const { stores, permits, trace, stat } = this.#options;
    const { generation } = stat;
    await this.#ended;
    const permit = await permits.read(trace);
    const ahead = new ReadAhead(
      (signal) => stores.read(trace, { generation, signal }),
      READ_AHEAD_BYTES,
    );
    this.#ended = ahead.done.then(() => permit.release());
    this.#reading = { ahead, permit };
    this.offer();
  }

  /**
   * Offers the read's permits to other users while the task waits for a thread; if they are revoked, the read
   * is repeated later.
   */
  offer(): void {
    const reading = this.#reading;
    reading?.permit.offer(() => {
      this.#reading = undefined;
      reading.ahead.close();
    });
  }

  /** Keeps the permits while the task has a thread. */
  keep(): void {
    this.#reading?.permit.offer(undefined);
  }

  stop(): void {
    this.#reading?.ahead.close();
    this.#reading = undefined;
  }

  /** Returns the beginning of the trace if it is being read. @throws the signal's reason */
  async head(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const reading = this.#reading;
    if (reading === undefined) return undefined;
    const stop = (): void => reading.ahead.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await reading.ahead.head(HEAD_BYTES);
    } finally {
      signal.removeEventListener('abort', stop);
      signal.throwIfAborted();
    }
  }
}
