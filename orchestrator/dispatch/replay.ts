/**
 * A trace whose worker was lost in mid-stream is asked again elsewhere. The engine's answer is the same
 * chunk by chunk, so what was passed on already is dropped; a checksum over it proves that it was the same.
 */
import { crc32 } from 'node:zlib';

export interface Passed {
  chunks: number;
  bytes: number;
  /** CRC-32 of all chunks in order. */
  checksum: number;
}

const NOTHING: Passed = { chunks: 0, bytes: 0, checksum: 0 };

function after(passed: Passed, chunk: Uint8Array): Passed {
  return {
    chunks: passed.chunks + 1,
    bytes: passed.bytes + chunk.length,
    checksum: crc32(chunk, passed.checksum),
  };
}

export class Replay {
  #passed = NOTHING;
  /** What this attempt gave of what was passed on before it; undefined once it is past that. */
  #again: Passed | undefined;

  /** Whether any chunk was passed on. */
  get begun(): boolean {
    return this.#passed.chunks > 0;
  }

  /** Chunks that were passed on. */
  get chunks(): number {
    return this.#passed.chunks;
  }

  restart(): void {
    this.#again = this.begun ? NOTHING : undefined;
  }

  /** What to do with the next chunk; `differs`: this attempt's answer is not that of the one before. */
  take(chunk: Uint8Array, last: boolean): 'pass' | 'drop' | 'differs' {
    if (this.#again === undefined) {
      // Nothing is ever compared with the last chunk: it ends the trace.
      if (!last) this.#passed = after(this.#passed, chunk);
      return 'pass';
    }
    this.#again = after(this.#again, chunk);
    if (last) return 'differs';
    if (this.#again.chunks < this.#passed.chunks) return 'drop';
    const same =
      this.#again.bytes === this.#passed.bytes && this.#again.checksum === this.#passed.checksum;
    this.#again = undefined;
    return same ? 'drop' : 'differs';
  }
}
