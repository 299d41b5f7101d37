/**
 * Continues the result of a task that is retried after its worker was lost in mid-stream. An engine produces the same
 * chunks again, so those already passed on to the client are dropped; a checksum verifies that they are the same.
 */
import { crc32 } from 'node:zlib';

export interface ForwardedChunks {
  chunks: number;
  bytes: number;
  /** CRC-32 of all chunks in order. */
  checksum: number;
}

const NOTHING: ForwardedChunks = { chunks: 0, bytes: 0, checksum: 0 };

function after(passed: ForwardedChunks, chunk: Uint8Array): ForwardedChunks {
  return {
    chunks: passed.chunks + 1,
    bytes: passed.bytes + chunk.length,
    checksum: crc32(chunk, passed.checksum),
  };
}

export class Replay {
  #passed = NOTHING;
  /** The chunks of this attempt that repeat what was passed on before; undefined once all of that was repeated. */
  #again: ForwardedChunks | undefined;

  /** Whether at least one chunk was passed on. */
  get begun(): boolean {
    return this.#passed.chunks > 0;
  }

  /** Number of chunks that were passed on. */
  get chunks(): number {
    return this.#passed.chunks;
  }

  restart(): void {
    this.#again = this.begun ? NOTHING : undefined;
  }

  /** Returns what to do with the next chunk; `differs`: this attempt's result is not the one already passed on. */
  take(chunk: Uint8Array, last: boolean): 'pass' | 'drop' | 'differs' {
    if (this.#again === undefined) {
      // The last chunk ends the task, so no later attempt is compared with it.
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
