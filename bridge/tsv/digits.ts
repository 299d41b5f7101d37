/**
 * Writes whole numbers as decimal digits, directly into bytes. Arguments are 32-bit words, because V8 passes them
 * without allocating an object.
 */

const ZERO = 0x30;
const BILLION = 1_000_000_000;

/** The two digits of each number from 0 to 99, as a little-endian 16-bit word. */
const PAIRS = Uint16Array.from(
  { length: 100 },
  (_, value) => (ZERO + Math.floor(value / 10)) | ((ZERO + (value % 10)) << 8),
);

/** Writes the unsigned 64-bit number with these two words. Returns the offset behind its last digit. */
export function writeDigits(bytes: DataView, at: number, high: number, low: number): number {
  if (high === 0 && low >= 0 && low < BILLION) return writePart(bytes, at, low, digitCount(low));
  if (high >>> 0 >= 2 ** 21) return writeLong(bytes, at, high, low);
  const value = high * 2 ** 32 + (low >>> 0); // exact: below 2^53
  const billions = Math.floor(value / BILLION);
  const next = billions === 0 ? at : writePart(bytes, at, billions, digitCount(billions));
  const rest = value - billions * BILLION;
  return writePart(bytes, next, rest, billions === 0 ? digitCount(rest) : 9);
}

/** Long division by 10^9 in 16-bit steps: each intermediate value stays below 2^53. */
function writeLong(bytes: DataView, at: number, high: number, low: number): number {
  let rest = (high >>> 0) % BILLION;
  let quotient = Math.floor((high >>> 0) / BILLION);
  for (const half of [low >>> 16, low & 0xffff]) {
    rest = rest * 65536 + half;
    const part = Math.floor(rest / BILLION);
    quotient = quotient * 65536 + part;
    rest -= part * BILLION;
  }
  const upper = Math.floor(quotient / 2 ** 32);
  return writePart(bytes, writeDigits(bytes, at, upper, quotient | 0), rest, 9);
}

/** Writes `value`, below 10^9, as `count` digits. */
function writePart(bytes: DataView, at: number, value: number, count: number): number {
  const end = at + count;
  let position = end;
  let rest = value | 0;
  while (rest >= 100) {
    const next = (rest / 100) | 0;
    position -= 2;
    bytes.setUint16(position, PAIRS[rest - next * 100] as number, true);
    rest = next;
  }
  position -= rest >= 10 ? 2 : 1;
  if (rest >= 10) bytes.setUint16(position, PAIRS[rest] as number, true);
  else bytes.setUint8(position, ZERO + rest);
  while (position > at) bytes.setUint8(--position, ZERO);
  return end;
}

function digitCount(value: number): number {
  if (value < 100_000) {
    if (value < 100) return value < 10 ? 1 : 2;
    if (value < 1000) return 3;
    return value < 10_000 ? 4 : 5;
  }
  if (value < 10_000_000) return value < 1_000_000 ? 6 : 7;
  return value < 100_000_000 ? 8 : 9;
}
