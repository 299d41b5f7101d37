/** Whole numbers as decimal digits, written straight into bytes. */

const ZERO = 0x30;
const BILLION = 1_000_000_000;

/** The two digits of 0..99, one pair after another. */
const PAIRS = Uint8Array.from(
  { length: 200 },
  (_, index) => ZERO + (index % 2 === 0 ? Math.floor(index / 20) : (index >> 1) % 10),
);

/** Writes `value` (a whole number, 0 to 2^53); returns the position after its last digit. */
export function writeDigits(bytes: Uint8Array, at: number, value: number): number {
  if (value < BILLION) return writeBelowBillion(bytes, at, value, digitCount(value));
  const high = Math.floor(value / BILLION);
  const next = writeDigits(bytes, at, high);
  return writeBelowBillion(bytes, next, value - high * BILLION, 9);
}

/** Writes the unsigned 64-bit number of two 32-bit words. */
export function writeDigits64(bytes: Uint8Array, at: number, high: number, low: number): number {
  if (high < 2 ** 21) return writeDigits(bytes, at, high * 2 ** 32 + low);
  // Long division by 10^9 in 16-bit steps: each intermediate value stays below 2^53.
  let rest = high % BILLION;
  let quotient = Math.floor(high / BILLION);
  for (const half of [low >>> 16, low & 0xffff]) {
    rest = rest * 65536 + half;
    const part = Math.floor(rest / BILLION);
    quotient = quotient * 65536 + part;
    rest -= part * BILLION;
  }
  return writeBelowBillion(bytes, writeDigits(bytes, at, quotient), rest, 9);
}

function writeBelowBillion(bytes: Uint8Array, at: number, value: number, count: number): number {
  const end = at + count;
  let position = end;
  let rest = value | 0;
  while (rest >= 100) {
    const next = (rest / 100) | 0;
    const pair = (rest - next * 100) << 1;
    bytes[--position] = PAIRS[pair + 1] ?? 0;
    bytes[--position] = PAIRS[pair] ?? 0;
    rest = next;
  }
  if (rest >= 10) {
    bytes[--position] = PAIRS[(rest << 1) + 1] ?? 0;
    bytes[--position] = PAIRS[rest << 1] ?? 0;
  } else {
    bytes[--position] = ZERO + rest;
  }
  while (position > at) bytes[--position] = ZERO;
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
