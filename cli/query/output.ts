/** Printing in large pieces: a write for each of very many small results would take most of the time. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';

const PIECE_BYTES = 64 * 1024;

export class Output {
  readonly #stream: Writable;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #scheduled: NodeJS.Immediate | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Waits where the reader is slower; what is small goes out once nothing more comes at once. */
  async print(bytes: Buffer, signal: AbortSignal): Promise<void> {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes < PIECE_BYTES) this.#scheduled ??= setImmediate(() => this.flush());
    else if (!this.flush()) await once(this.#stream, 'drain', { signal });
  }

  /** Whether the stream takes more. */
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
