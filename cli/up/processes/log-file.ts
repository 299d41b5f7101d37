/**
 * A log file with a size limit. At the limit it is renamed to `.1` and a new file is started. Lines that cannot be
 * written are dropped and counted.
 */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { droppedLogLine, LossyWriter } from '../../../lib/common/observability/lossy-writer.ts';

export class LogFile {
  readonly path: string;
  readonly #bytesMax: number;
  readonly #writer: LossyWriter;
  /** Undefined until the file has been opened. */
  #fd: number | undefined;
  #bytes = 0;

  constructor(path: string, bytesMax = 16 * 2 ** 20) {
    this.path = path;
    this.#bytesMax = bytesMax;
    const service = basename(path, '.log');
    this.#writer = new LossyWriter(
      (bytes) => this.#writeSome(bytes),
      (lines, reason) => droppedLogLine(service, lines, reason),
    );
  }

  write(chunk: Uint8Array): void {
    this.#writer.write(chunk);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #writeSome(bytes: Uint8Array): number {
    let fd = this.#fd ?? this.#open();
    if (this.#bytes + bytes.length > this.#bytesMax && this.#bytes > 0) {
      this.close();
      moveIfThere(this.path, `${this.path}.1`);
      fd = this.#open();
    }
    const written = writeSync(fd, bytes);
    this.#bytes += written;
    return written;
  }

  #open(): number {
    const fd = openSync(this.path, 'a', 0o600);
    this.#fd = fd;
    this.#bytes = fstatSync(fd).size;
    return fd;
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
