/** Buffers the bytes for stdout: one buffer is filled while another is written. */
import type { Writable } from 'node:stream';

const BUFFER_BYTES = 512 * 1024;

/** Above this size the caller should flush. */
const FULL_BYTES = 256 * 1024;

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

export class Output {
  buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** A view of `buffer`. */
  view = viewOf(this.buffer);
  /** Number of bytes in `buffer`. */
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

  /** Whether the stream has not taken the previous write yet. */
  get blocked(): boolean {
    return this.#writing !== undefined;
  }

  /** Number of bytes passed to the stream so far. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Makes room for `bytes` more bytes. It may replace `buffer` and `view`. */
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

  /** Starts to write the buffered bytes, after the previous write has ended. Rejects if that write failed. */
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
      // A buffer that grew for a huge value is not kept.
      this.#spare =
        filled.length > BUFFER_BYTES * 4 ? Buffer.allocUnsafeSlow(BUFFER_BYTES) : filled;
      this.#writing = undefined;
    });
    this.#writing.catch(() => {}); // the next flush or drain rejects
  }

  #use(buffer: Buffer): void {
    this.buffer = buffer;
    this.view = viewOf(buffer);
  }

  /** Resolves when the stream has taken all bytes. Rejects if a write failed. */
  async drain(): Promise<void> {
    await this.flush();
    await this.#writing;
  }
}
