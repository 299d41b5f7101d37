/** Scans the fields of one TracePacket by their tags and lengths, without decoding their contents. */
import type { PacketFields } from './packet-fields.ts';

const ZSTD_COMPRESSED_PACKETS = 133;
const EXTENSION_DESCRIPTOR = 72;
const VARINT_BYTES_MAX = 10;

export class PacketScan {
  readonly #packetFields: PacketFields | undefined;
  /** Offset of the compressed packets in the buffer; -1 if the packet has none. */
  zstdFrom = -1;
  zstdTo = -1;
  hasDescriptor = false;
  /** Numbers of the fields that the engine does not know. */
  readonly unknown: number[] = [];
  /** Value of the varint that was read last. */
  #value = 0;

  constructor(packetFields: PacketFields | undefined) {
    this.#packetFields = packetFields;
  }

  /**
   * Scans the packet at `from`..`to` and sets the properties above. For a malformed packet, they are empty.
   * @param cut whether the trace ends within the packet, at `to`
   */
  run(bytes: Uint8Array, from: number, to: number, cut = false): void {
    this.#clear();
    const packetFields = this.#packetFields;
    let at = from;
    while (at < to) {
      const tag = bytes[at] ?? 0;
      at = tag < 0x80 ? at + 1 : this.varint(bytes, at, to);
      if (at < 0 && cut) return;
      if (at < 0) break;
      const value = tag < 0x80 ? tag : this.#value;
      const field = value >>> 3;
      at = this.skip(bytes, at, to, value & 7);
      const isZstd = field === ZSTD_COMPRESSED_PACKETS && (value & 7) === 2;
      if (at < 0 || at > to) {
        if (cut && isZstd && at > to) this.#foundZstd(at - this.#value, to);
        if (cut) return;
        break;
      }
      if (isZstd) this.#foundZstd(at - this.#value, at);
      else if (field === EXTENSION_DESCRIPTOR) this.hasDescriptor = true;
      if (packetFields !== undefined && packetFields[field] !== 1 && !isZstd)
        this.unknown.push(field);
    }
    if (at !== to) this.#clear();
  }

  /** Reads a varint into `value`. @returns the offset after it; -1 if it is incomplete, -2 if it is too long */
  varint(bytes: Uint8Array, at: number, to: number): number {
    let value = 0;
    let scale = 1;
    for (let next = at; next < to; ) {
      if (next - at === VARINT_BYTES_MAX) return -2;
      const byte = bytes[next++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.#value = value;
        return next;
      }
      scale *= 128;
    }
    return to - at >= VARINT_BYTES_MAX ? -2 : -1;
  }

  get value(): number {
    return this.#value;
  }

  /**
   * Skips the value of a field, which begins at `at`.
   * @returns the offset after it, maybe beyond `to`; -1 if it is incomplete, -2 if it is malformed
   */
  skip(bytes: Uint8Array, at: number, to: number, wireType: number): number {
    switch (wireType) {
      case 0:
        return this.varint(bytes, at, to);
      case 1:
        return at + 8;
      case 2: {
        const next = this.varint(bytes, at, to);
        return next < 0 ? next : next + this.#value;
      }
      case 5:
        return at + 4;
      default:
        return -2;
    }
  }

  #foundZstd(from: number, to: number): void {
    this.zstdFrom = from;
    this.zstdTo = to;
  }

  #clear(): void {
    this.zstdFrom = -1;
    this.zstdTo = -1;
    this.hasDescriptor = false;
    this.unknown.length = 0;
  }
}
