/** Combines small pieces before they are passed to the engine, because every call of the engine has a fixed cost. */
import type { Sink } from './stage.ts';

const BUFFER_BYTES = 256 * 1024;
/** A piece of at least this size is passed on without a copy. */
const LARGE_BYTES = 32 * 1024;

export class PieceBuffer implements Sink {
  readonly #next: (bytes: Uint8Array) => void;
  #buffer: Buffer | undefined;
  #length = 0;

  constructor(next: (bytes: Uint8Array) => void) {
    this.#next = next;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length >= LARGE_BYTES || this.#length + bytes.length > BUFFER_BYTES) this.flush();
    if (bytes.length >= LARGE_BYTES) {
      this.#next(bytes);
      return;
    }
    this.#buffer ??= Buffer.allocUnsafeSlow(BUFFER_BYTES);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  end(): void {
    this.flush();
  }

  flush(): void {
    const length = this.#length;
    this.#length = 0;
    if (length > 0 && this.#buffer !== undefined) this.#next(this.#buffer.subarray(0, length));
  }
}
