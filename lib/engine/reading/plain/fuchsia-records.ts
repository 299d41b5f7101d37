/** Passes a Fuchsia trace on, and follows its records: TraceProcessor ignores a last record that is cut short. */
import type { Findings } from '../findings.ts';
import type { Sink } from '../stage.ts';

/** The first record: its header, with the number that identifies the format. */
const MAGIC = [0x10, 0x00, 0x04, 0x46, 0x78, 0x54, 0x16, 0x00];
const WORD_BYTES = 8;
const LARGE_RECORD = 15;

export function isFuchsia(head: Uint8Array): boolean {
  return MAGIC.every((byte, at) => head[at] === byte);
}

export class FuchsiaRecords implements Sink {
  readonly #next: Sink;
  readonly #findings: Findings;
  readonly #header = Buffer.alloc(WORD_BYTES);
  #headerBytes = 0;
  /** Bytes of the current record that are still to come. */
  #left = 0;

  constructor(next: Sink, findings: Findings) {
    this.#next = next;
    this.#findings = findings;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const skipped = Math.min(this.#left, bytes.length - at);
      this.#left -= skipped;
      at += skipped;
      if (this.#left > 0 || at === bytes.length) break;
      const piece = bytes.subarray(at, at + WORD_BYTES - this.#headerBytes);
      this.#header.set(piece, this.#headerBytes);
      this.#headerBytes += piece.length;
      at += piece.length;
      if (this.#headerBytes === WORD_BYTES) this.#begin();
    }
    this.#next.push(bytes);
  }

  end(): void {
    if (this.#left > 0 || this.#headerBytes > 0)
      this.#findings.incomplete('the trace ends within a record');
    this.#next.end();
  }

  /** Begins a record: its header states the type in 4 bits, and the size in words in 12 bits, or 32 of a large record. */
  #begin(): void {
    this.#headerBytes = 0;
    const type = this.#header.readUInt8(0) & 0xf;
    const word = Number((this.#header.readBigUInt64LE(0) >> 4n) & 0xffff_ffffn);
    const words = type === LARGE_RECORD ? word : word & 0xfff;
    this.#left = Math.max(0, words - 1) * WORD_BYTES;
  }
}
