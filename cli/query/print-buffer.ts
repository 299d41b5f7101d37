/** Combines output into large writes: one write per small result would take most of the time. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';

const PIECE_BYTES = 64 * 1024;

export class PrintBuffer {
  readonly #stream: Writable;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #scheduled: NodeJS.Immediate | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /**
   * Writes bytes, and waits if the reader is slower. Small pieces are combined until the current turn of the event loop
   * ends.
   */
  async print(bytes: Buffer, signal: AbortSignal): Promise<void> {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes < PIECE_BYTES) this.#scheduled ??= setImmediate(() => this.flush());
    else if (!this.flush()) await once(this.#stream, 'drain', { signal });
  }

  /** Writes all pending bytes. @returns whether the stream accepts more without waiting */
  flush(): boolean {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#bytes === 0) return true;
    const piece = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return this.#stream.write(piece);
  }
}
