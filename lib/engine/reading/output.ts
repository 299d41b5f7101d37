/** Small pieces are put together before they are handed on: each hand-over to the engine has a cost of its own. */
import type { Sink } from './stage.ts';

const BUFFER_BYTES = 256 * 1024;
/** As large as this, a piece goes on without being copied. */
const LARGE_BYTES = 32 * 1024;

export class Output implements Sink {
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
