/** Reads the beginning of a trace, up to a number of bytes, before a thread is free for it. */
import { BigtraceError } from '../../../lib/common/errors.ts';

export class ReadAhead implements AsyncIterable<Uint8Array> {
  readonly #bytesMax: number;
  readonly #abort = new AbortController();
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #end: { thrown?: unknown } | undefined;
  #closed = false;
  /** Wakes the iterator or the pump; at most one of them waits at a time. */
  #wake: (() => void) | undefined;
  /** Resolves once nothing more is read from the source. */
  readonly done: Promise<void>;

  /** @param open opens the source; its signal is aborted by close() */
  constructor(open: (signal: AbortSignal) => AsyncIterable<Uint8Array>, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.done = this.#pump(open(this.#abort.signal));
  }

  /** Whether close() was called or the iteration has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Stops reading and drops the chunks that were not consumed. Not needed after an iteration, complete or not. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#chunks = [];
    if (this.#end === undefined)
      this.#abort.abort(new BigtraceError('cancelled', 'the read of the trace was dropped'));
    this.#signal();
  }

  async #pump(source: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of source) {
        this.#chunks.push(chunk);
        this.#bytes += chunk.byteLength;
        this.#signal();
        while (this.#bytes > this.#bytesMax && !this.#closed) await this.#signalled();
        if (this.#closed) return;
      }
      this.#end = {};
    } catch (thrown) {
      this.#end = { thrown };
    } finally {
      this.#signal();
    }
  }

  /** Returns the first bytes, `length` of them unless the trace is shorter or reading ends; before the iteration. */
  async head(length: number): Promise<Uint8Array> {
    while (this.#bytes < length && this.#end === undefined && !this.#closed)
      await this.#signalled();
    return Buffer.concat(this.#chunks).subarray(0, length);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#bytes -= chunk.byteLength;
          this.#signal();
          yield chunk;
        } else if (this.#end !== undefined) {
          if ('thrown' in this.#end) throw this.#end.thrown;
          return;
        } else if (this.#closed) return;
        else await this.#signalled();
      }
    } finally {
      this.close();
    }
  }

  #signalled(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #signal(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
