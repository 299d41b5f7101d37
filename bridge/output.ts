/** Bytes on their way to stdout: two big buffers, one being filled while the other is being written. */
import type { Writable } from 'node:stream';

const BUFFER_BYTES = 512 * 1024;

/** A buffer this full is worth a write of its own. */
const FULL_BYTES = 256 * 1024;

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

export class Output {
  buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** Of the same bytes. */
  view = viewOf(this.buffer);
  /** Bytes in `buffer` so far. */
  at = 0;
  readonly #stream: Writable;
  #spare: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #writing: Promise<void> | undefined;
  #bytesWritten = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  get full(): boolean {
    return this.at >= FULL_BYTES;
  }

  /** Whether an earlier write has not been taken yet. */
  get blocked(): boolean {
    return this.#writing !== undefined;
  }

  /** Bytes handed to the stream so far. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Makes room for `bytes` more; `buffer` may be another one afterwards. */
  reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.at + bytes, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.at);
    this.#use(larger);
  }

  append(bytes: Buffer): void {
    this.reserve(bytes.length);
    this.at += bytes.copy(this.buffer, this.at);
  }

  /** Writes what is there, once the write before is through. Rejects when the stream breaks. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.at === 0) return;
    const filled = this.buffer;
    this.#bytesWritten += this.at;
    const chunk = filled.subarray(0, this.at);
    this.#use(this.#spare);
    this.at = 0;
    this.#writing = new Promise<void>((resolve, reject) => {
      this.#stream.write(chunk, (error) => (error ? reject(error) : resolve()));
    }).then(() => {
      // One that had to grow for a huge value is given back to the system.
      this.#spare =
        filled.length > BUFFER_BYTES * 4 ? Buffer.allocUnsafeSlow(BUFFER_BYTES) : filled;
      this.#writing = undefined;
    });
    this.#writing.catch(() => {}); // whoever waits for it next hears of it
  }

  #use(buffer: Buffer): void {
    this.buffer = buffer;
    this.view = viewOf(buffer);
  }

  /** Resolves when all is written. */
  async drain(): Promise<void> {
    await this.flush();
    await this.#writing;
  }
}
