/**
 * Passes on a trace in Perfetto's own format, with each zstd-compressed packet replaced by the packets in it, because
 * TraceProcessor v55 ignores such packets silently. All other bytes are passed on unchanged. The trace is split into
 * packets as TraceProcessor does it, so both see the same packets even in a damaged trace.
 */
import { BigtraceError } from '../../../common/errors.ts';
import type { ZstdDecoder } from '../compression/zstd.ts';
import type { Findings } from '../findings.ts';
import type { ReadingMode } from '../read-again.ts';
import type { Sink } from '../stage.ts';
import type { PacketFields } from './packet-fields.ts';
import { PacketScan } from './packet-scan.ts';

export interface PacketContext {
  /** The fields that the engine knows; undefined if that could not be found out. */
  packetFields: PacketFields | undefined;
  mode: ReadingMode;
  findings: Findings;
  zstd: () => ZstdDecoder;
  /** Counts decompressed bytes. @throws BigtraceError limit_exceeded */
  unpacked: (bytes: number) => void;
  /** Called before the output first differs from the input. */
  changed: () => void;
  /** Returns the offset after the packets at `at` in which there is nothing to do, as far as it is sure. */
  afterPlain?: ((bytes: Uint8Array, at: number) => number) | undefined;
}

/** After a call of `afterPlain` that found nothing, so many fields are looked at without it. */
const LOOKS_ALONE = 16;

const PACKET_TAG = 0x0a;
/** Longer packets are not scanned, because a packet must be in memory whole for that. */
const PACKET_BYTES_MAX = 64 * 2 ** 20;
/** Tag of the field of zstd-compressed packets (133, length-delimited), with which such a packet begins. */
const ZSTD_TAG = [0xaa, 0x08];

export class ProtoPackets implements Sink {
  readonly #next: Sink;
  readonly #context: PacketContext;
  /** Whether the input is the content of a compressed packet, which must consist of packets only. */
  readonly #nested: boolean;
  readonly #scan: PacketScan;
  /** Copies of the pieces of an incomplete field. It is processed further when it has `#needed` bytes. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #needed = 0;
  /** Number of next bytes to pass on without scanning them. */
  #opaque = 0;
  /** Number of next fields before `afterPlain` is called again. */
  #looksAlone = 0;
  /** The warning if the trace ends while there are such bytes. */
  #endText = 'the trace ends within a packet';

  constructor(next: Sink, context: PacketContext, nested = false) {
    this.#next = next;
    this.#context = context;
    this.#nested = nested;
    this.#scan = new PacketScan(context.packetFields);
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    while (this.#pendingBytes > 0 && at < bytes.length) {
      const piece = bytes.subarray(at, at + this.#needed - this.#pendingBytes);
      at += piece.length;
      this.#hold(piece);
      if (this.#pendingBytes < this.#needed) return;
      this.#pass(this.#takeHeld());
    }
    if (at < bytes.length) this.#pass(bytes.subarray(at));
  }

  end(): void {
    const rest = this.#takeHeld();
    if (rest.length > 0) this.#passCut(rest);
    else if (this.#opaque > 0) this.#context.findings.incomplete(this.#endText);
    this.#next.end();
  }

  /** Ends the content of a compressed packet. `cut`: the trace ends within that packet. */
  endNested(cut: boolean): void {
    const rest = this.#takeHeld();
    if (cut) this.#next.push(rest);
    else if (rest.length > 0 || this.#opaque > 0)
      throw damaged('the last of the packets in it is cut short');
  }

  /** Passes on the complete fields in `bytes`, and holds an incomplete field at its end. */
  #pass(bytes: Uint8Array): void {
    let at = Math.min(this.#opaque, bytes.length);
    this.#opaque -= at;
    let from = 0;
    while (at < bytes.length) {
      at = this.#afterPlain(bytes, at);
      if (at === bytes.length) break;
      if (bytes[at] === PACKET_TAG && bytes[at + 1] === 0) {
        at += 2; // an empty packet; a bomb may have hundreds of millions of them
        continue;
      }
      const end = this.#fieldEnd(bytes, at);
      if (end > bytes.length) {
        if (!this.#mayHold(bytes, at, end)) break;
        this.#passOn(bytes, from, at);
        this.#hold(bytes.subarray(at));
        this.#needed = end - at;
        return;
      }
      if (this.#isRewritten(bytes, at, end)) {
        this.#context.changed();
        this.#passOn(bytes, from, at);
        if (this.#scan.zstdFrom >= 0) this.#decompress(bytes, false);
        else this.#context.findings.warn('extension descriptor left out');
        from = end;
      }
      at = end;
    }
    this.#passOn(bytes, from, bytes.length);
  }

  #afterPlain(bytes: Uint8Array, at: number): number {
    const { afterPlain } = this.#context;
    if (afterPlain === undefined || --this.#looksAlone > 0) return at;
    const end = afterPlain(bytes, at);
    if (end === at) this.#looksAlone = LOOKS_ALONE;
    return end;
  }

  /**
   * Whether an incomplete field is held until it is complete; otherwise its bytes are passed on as they arrive.
   * @throws BigtraceError limit_exceeded: a zstd-compressed packet is too long
   */
  #mayHold(bytes: Uint8Array, at: number, end: number): boolean {
    if (end - at <= PACKET_BYTES_MAX) return true;
    this.#opaque = end - bytes.length;
    if (this.#opaque === Number.POSITIVE_INFINITY) return false;
    const body = this.#scan.varint(bytes, at + 1, bytes.length);
    if (ZSTD_TAG.every((byte, nth) => bytes[body + nth] === byte))
      throw new BigtraceError(
        'limit_exceeded',
        `a zstd-compressed packet has ${end - at} bytes, the bound is ${PACKET_BYTES_MAX}`,
      );
    this.#context.findings.warn(`packet longer than ${PACKET_BYTES_MAX} bytes, not looked into`);
    return false;
  }

  /**
   * Returns the offset after the field at `at`. While that is unknown, it returns one more than the bytes at hand;
   * where TraceProcessor gives up, it returns infinity, so that the rest of the trace is one field.
   */
  #fieldEnd(bytes: Uint8Array, at: number): number {
    const scan = this.#scan;
    const { length } = bytes;
    if (bytes[at] === PACKET_TAG) {
      const body = scan.varint(bytes, at + 1, length);
      if (body > 0) return body + scan.value;
      return body === -1 ? length + 1 : this.#giveUp();
    }
    if (this.#nested) throw damaged('its contents are not a packet');
    const next = scan.varint(bytes, at, length);
    if (next < 0) return next === -1 ? length + 1 : this.#giveUp();
    const end = scan.skip(bytes, next, length, scan.value & 7);
    if (end >= 0) return end;
    return end === -1 ? length + 1 : this.#giveUp();
  }

  #giveUp(): number {
    if (this.#nested) throw damaged('its contents are not a packet');
    this.#endText = 'something that is no packet follows a packet; the engine stops there';
    return Number.POSITIVE_INFINITY;
  }

  /** Whether the complete field at `at`..`end` must not be passed on unchanged; `#scan` then has the reason. */
  #isRewritten(bytes: Uint8Array, at: number, end: number): boolean {
    if (bytes[at] !== PACKET_TAG) return false;
    const scan = this.#scan;
    const body = (bytes[at + 1] ?? 0) < 0x80 ? at + 2 : scan.varint(bytes, at + 1, end);
    scan.run(bytes, body, end);
    for (const field of scan.unknown) this.#context.findings.unknownField(field);
    return scan.zstdFrom >= 0 || (scan.hasDescriptor && this.#context.mode.withoutDescriptors);
  }

  /** Passes on the packets in the compressed packet that was scanned last. */
  #decompress(bytes: Uint8Array, cut: boolean): void {
    const { zstdFrom, zstdTo } = this.#scan;
    const { findings, unpacked, zstd } = this.#context;
    if (this.#nested) throw damaged('it holds another one');
    findings.zstdPackets++;
    const inner = new ProtoPackets(this.#next, this.#context, true);
    const decoder = zstd();
    if (!decoder.atFrameEnd) decoder.reset();
    decoder.push(bytes.subarray(zstdFrom, zstdTo), (piece) => {
      unpacked(piece.length);
      inner.push(piece);
    });
    if (!decoder.atFrameEnd && !cut) throw damaged('its zstd data is cut short');
    inner.endNested(cut);
  }

  /** Passes on the last field of a trace that ends within it; of a compressed packet, what can be decompressed. */
  #passCut(bytes: Uint8Array): void {
    const body = bytes[0] === PACKET_TAG ? this.#scan.varint(bytes, 1, bytes.length) : -1;
    if (body > 0) this.#scan.run(bytes, body, bytes.length, true);
    if (body < 0 || this.#scan.zstdFrom < 0) {
      this.#context.findings.incomplete('the trace ends within a packet');
      this.#next.push(bytes);
      return;
    }
    this.#context.changed();
    this.#context.findings.incomplete('the trace ends within a zstd-compressed packet');
    this.#decompress(bytes, true);
  }

  #passOn(bytes: Uint8Array, from: number, to: number): void {
    if (to > from) this.#next.push(bytes.subarray(from, to));
  }

  #hold(bytes: Uint8Array): void {
    this.#pending.push(new Uint8Array(bytes)); // a Buffer’s `slice` would be a view
    this.#pendingBytes += bytes.length;
  }

  #takeHeld(): Uint8Array {
    const [first, ...more] = this.#pending;
    const whole = more.length === 0 ? (first ?? new Uint8Array()) : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    return whole;
  }
}

function damaged(why: string): BigtraceError {
  return new BigtraceError('trace_invalid', `a zstd-compressed packet is damaged: ${why}`);
}
