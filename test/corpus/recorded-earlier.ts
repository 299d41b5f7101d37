/** Makes traces of other days, for tests of what depends on the time of recording. */

/** The start of a clock in a ClockSnapshot: clock 1 (REALTIME), then the field of its time. */
const REALTIME = Buffer.from([0x08, 0x01, 0x10]);

const DAY_NS = 86_400_000_000_000n;

/** Times since 2020, in nanoseconds: as varints, they have 9 bytes. */
const EARLIEST = 1_577_836_800_000_000_000n;
const VARINT_BYTES = 9;

/** Returns a copy of a trace that says it was recorded some days before. */
export function recordedEarlier(trace: Buffer, days: number): Buffer {
  const copy = Buffer.from(trace);
  let changes = 0;
  for (let at = copy.indexOf(REALTIME); at >= 0; at = copy.indexOf(REALTIME, at + 1)) {
    const bytes = copy.subarray(at + REALTIME.length, at + REALTIME.length + VARINT_BYTES);
    const time = varint(bytes);
    if (time === undefined || time < EARLIEST) continue;
    bytes.set(varintBytes(time - BigInt(days) * DAY_NS));
    changes++;
  }
  if (changes === 0) throw new Error('the trace does not say when it was recorded');
  return copy;
}

/** Undefined if the varint does not end with these bytes. */
function varint(bytes: Uint8Array): bigint | undefined {
  if (bytes.length < VARINT_BYTES || bytes.findIndex((byte) => byte < 0x80) !== VARINT_BYTES - 1)
    return undefined;
  return bytes.reduceRight((value, byte) => (value << 7n) | BigInt(byte & 0x7f), 0n);
}

function varintBytes(value: bigint): Uint8Array {
  return Uint8Array.from({ length: VARINT_BYTES }, (_, nth) => {
    const byte = Number((value >> BigInt(7 * nth)) & 0x7fn);
    return nth < VARINT_BYTES - 1 ? byte | 0x80 : byte;
  });
}
