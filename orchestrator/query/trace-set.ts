/** A set of the traces of a query, stored as 16-byte digests. */
import { hash } from 'node:crypto';
import { BigtraceError } from '../../lib/common/errors.ts';

/** The first 128 bits of the SHA-256 of a trace address. Identifies the trace within a query and in placement. */
export interface TraceDigest {
  /** Four unsigned 32-bit words. */
  words: [number, number, number, number];
}

export function traceDigest(address: Uint8Array): TraceDigest {
  const digest = hash('sha256', address, 'buffer');
  return {
    words: [
      digest.readUInt32LE(0),
      digest.readUInt32LE(4),
      digest.readUInt32LE(8),
      digest.readUInt32LE(12),
    ],
  };
}

/** Maximum number of traces in one query. The table for 100 million digests takes 4 GiB; more traces are a mistake. */
const TRACES_MAX = 100_000_000;

/** A hash table with open addressing over one flat array; a slot of four zero words is free. */
export class TraceSet {
  #slots = new Uint32Array(4 * 1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns false when the set has the digest already @throws limit_exceeded beyond TRACES_MAX */
  add({ words }: TraceDigest): boolean {
    if (!insert(this.#slots, words)) return false;
    this.#size += 1;
    if (this.#size > TRACES_MAX)
      throw new BigtraceError('limit_exceeded', `query has more than ${TRACES_MAX} traces`);
    if (this.#size * 4 > this.#slots.length * 0.7) this.#grow();
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 4) {
      const [a = 0, b = 0, c = 0, d = 0] = old.subarray(at, at + 4);
      if ((a | b | c | d) !== 0) insert(this.#slots, [a, b, c, d]);
    }
  }
}

function insert(slots: Uint32Array, [a, b, c, d]: TraceDigest['words']): boolean {
  const mask = slots.length / 4 - 1;
  for (let slot = a & mask; ; slot = (slot + 1) & mask) {
    const at = slot * 4;
    if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c && slots[at + 3] === d)
      return false;
    if (slots[at] || slots[at + 1] || slots[at + 2] || slots[at + 3]) continue;
    slots[at] = a;
    slots[at + 1] = b;
    slots[at + 2] = c;
    slots[at + 3] = d;
    return true;
  }
}
