/** A log that grows to a bound and then starts over, keeping the one before as `.1`. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

export class LogFile {
  readonly path: string;
  readonly #bytesMax: number;
  #fd: number;
  #bytes: number;

  constructor(path: string, bytesMax = 16 * 2 ** 20) {
    this.path = path;
    this.#bytesMax = bytesMax;
    this.#fd = openSync(path, 'a');
    this.#bytes = fstatSync(this.#fd).size;
  }

  write(chunk: Buffer): void {
    if (this.#bytes + chunk.length > this.#bytesMax && this.#bytes > 0) {
      closeSync(this.#fd);
      renameSync(this.path, `${this.path}.1`);
      this.#fd = openSync(this.path, 'a');
      this.#bytes = 0;
    }
    writeSync(this.#fd, chunk);
    this.#bytes += chunk.length;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
