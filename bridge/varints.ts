/** Packed 64-bit integers as protobuf writes them: seven bits a byte, the lowest first. */
import { malformed } from '../query-result/wire.ts';

/** So many bytes behind a varint's first one may be looked at. */
const AHEAD_BYTES = 12;
const BYTES_MAX = 10;

/** Where integers go: to each of `targets` in turn, as two words of two's complement each: low, high. */
export interface IntegerTargets {
  targets: readonly Int32Array[];
  /** The first of the integers there. */
  row: number;
  /** How many go to each target. */
  rows: number;
}

/**
 * @returns the position behind the last one
 * @throws internal, where one is missing, the last one is cut short, or one is too long
 */
export function readVarints(
  bytes: Uint8Array,
  from: number,
  to: number,
  into: IntegerTargets,
): number {
  if (to + AHEAD_BYTES <= bytes.length) return read(viewOf(bytes), from, to, into);
  const most = into.rows * into.targets.length * BYTES_MAX;
  const part = bytes.subarray(from, Math.min(to, from + most));
  const padded = new Uint8Array(part.length + AHEAD_BYTES);
  padded.set(part);
  return from + read(viewOf(padded), 0, part.length, into);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/**
 * Four bytes at a time, and a branch for each length: a processor foresees most of them, for the integers
 * of a column are much alike. A loop byte by byte takes one and a half times as long, as does finding the
 * length by arithmetic.
 */
function read(view: DataView, from: number, to: number, into: IntegerTargets): number {
  const { targets, row, rows } = into;
  const columns = targets.length;
  let at = from;
  let index = row * 2;
  const indexTo = columns > 0 ? index + rows * 2 : index;
  let column = 0;
  while (index < indexTo) {
    if (at >= to) throw malformed(at > to ? 'a varint is cut short' : 'a varint is missing');
    const first = view.getInt32(at, true);
    let low = first & 0x7f;
    let high = 0;
    if ((first & 0x80) === 0) {
      at += 1;
    } else if ((first & 0x8000) === 0) {
      low |= (first >>> 1) & 0x3f80;
      at += 2;
    } else if ((first & 0x800000) === 0) {
      low |= ((first >>> 1) & 0x3f80) | ((first >>> 2) & 0x1fc000);
      at += 3;
    } else {
      low |= ((first >>> 1) & 0x3f80) | ((first >>> 2) & 0x1fc000) | ((first >>> 3) & 0xfe00000);
      if (first >= 0) {
        at += 4;
      } else {
        const second = view.getInt32(at + 4, true);
        let middle = second & 0x7f;
        if ((second & 0x80) === 0) {
          at += 5;
        } else if ((second & 0x8000) === 0) {
          middle |= (second >>> 1) & 0x3f80;
          at += 6;
        } else if ((second & 0x800000) === 0) {
          middle |= ((second >>> 1) & 0x3f80) | ((second >>> 2) & 0x1fc000);
          at += 7;
        } else {
          middle |=
            ((second >>> 1) & 0x3f80) | ((second >>> 2) & 0x1fc000) | ((second >>> 3) & 0xfe00000);
          at += 8;
          if (second < 0) {
            const third = view.getUint16(at, true);
            at += (third & 0x80) === 0 ? 1 : 2;
            if ((third & 0x8080) === 0x8080) throw malformed('a varint is longer than 10 bytes');
            high = ((third & 0x7f) << 24) | ((third & 0x80) === 0 ? 0 : (third & 0x100) << 23);
          }
        }
        low |= middle << 28;
        high |= middle >>> 4;
      }
    }
    const words = targets[column] as Int32Array;
    words[index] = low;
    words[index + 1] = high;
    if (++column === columns) {
      column = 0;
      index += 2;
    }
  }
  if (at > to) throw malformed('a varint is cut short');
  return at;
}
