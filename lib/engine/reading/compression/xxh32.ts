/** xxHash32, the checksum of LZ4 frames, computed as bytes arrive. */
const [P1, P2, P3, P4, P5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1] as const;
const STRIPE_BYTES = 16;

const rotated = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

export class Xxh32 {
  readonly #lanes = Int32Array.of(P1 + P2, P2, 0, -P1);
  readonly #rest = Buffer.alloc(STRIPE_BYTES);
  #restBytes = 0;
  #bytes = 0;

  update(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(STRIPE_BYTES - this.#restBytes, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < STRIPE_BYTES) return;
      this.#stripe(new DataView(this.#rest.buffer, this.#rest.byteOffset), 0);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (; at + STRIPE_BYTES <= bytes.length; at += STRIPE_BYTES) this.#stripe(view, at);
    this.#rest.set(bytes.subarray(at), 0);
    this.#restBytes = bytes.length - at;
  }

  digest(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#lanes;
    let hash =
      this.#bytes < STRIPE_BYTES
        ? P5
        : rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18);
    hash = (hash + this.#bytes) | 0;
    let at = 0;
    for (; at + 4 <= this.#restBytes; at += 4)
      hash = Math.imul(rotated(hash + Math.imul(this.#rest.readUInt32LE(at), P3), 17), P4);
    for (; at < this.#restBytes; at++)
      hash = Math.imul(rotated(hash + Math.imul(this.#rest[at] ?? 0, P5), 11), P1);
    hash = Math.imul(hash ^ (hash >>> 15), P2);
    hash = Math.imul(hash ^ (hash >>> 13), P3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripe(view: DataView, at: number): void {
    const lanes = this.#lanes;
    for (let lane = 0; lane < 4; lane++) {
      const word = Math.imul(view.getUint32(at + 4 * lane, true), P2);
      lanes[lane] = Math.imul(rotated(((lanes[lane] ?? 0) + word) | 0, 13), P1);
    }
  }
}
