import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { field, message } from '../../../../test/corpus/proto.ts';
import { ENGINE_WASM, fetchEngine } from '../../../../tools/build/fetch-engine.mjs';
import { ZstdDecoder, zstdModule } from '../compression/zstd.ts';
import { Findings } from '../findings.ts';
import { FIRST_READING } from '../read-again.ts';
import { zstd, zstdPacket } from '../testing.ts';
import { packetFields } from './packet-fields.ts';
import { ProtoPackets } from './proto-packets.ts';

const PACKET_FIELDS = packetFields(readFileSync(await fetchEngine().then(() => ENGINE_WASM)));
const decoder = new ZstdDecoder(await zstdModule());

interface Options {
  withoutDescriptors?: boolean;
  unpackedMax?: number;
}

function rewritten(chunks: readonly Uint8Array[], options: Options = {}) {
  const { withoutDescriptors = false, unpackedMax = 2 ** 32 } = options;
  const out: Uint8Array[] = [];
  const findings = new Findings();
  const next = { push: (bytes: Uint8Array) => void out.push(bytes.slice()), end: () => {} };
  const stage = new ProtoPackets(next, {
    packetFields: PACKET_FIELDS,
    mode: { ...FIRST_READING, withoutDescriptors },
    findings,
    zstd: () => decoder,
    changed: () => {},
    unpacked: (bytes) => {
      findings.unpackedBytes += bytes;
      if (findings.unpackedBytes > unpackedMax) throw new Error('the bound');
    },
  });
  for (const chunk of chunks) {
    const borrowed = Uint8Array.from(chunk);
    stage.push(borrowed);
    borrowed.fill(0xee); // the caller may reuse the buffer
  }
  stage.end();
  return { bytes: Buffer.concat(out), findings };
}

const packet = (...fields: Buffer[]): Buffer => message(1, ...fields);
const timed = (ns: number, name: string): Buffer =>
  packet(field(8, ns), message(11, field(23, name)));
const A = timed(1, 'a');
const B = timed(2, 'b'.repeat(300));
const C = timed(3, 'c');

test('packetFields finds the packet fields that the engine knows', () => {
  const known = [...(PACKET_FIELDS ?? [])].flatMap((is, number) => (is === 1 ? [number] : []));
  expect(known.slice(0, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(known).toContain(50);
  expect(known).toContain(55); // retired, so not new
  expect(known).not.toContain(133);
  expect(known.at(-1)).toBe(900);
});

const fieldNumber = fc.constantFrom(1, 3, 8, 11, 36, 50, 72, 89, 134, 899, 900, 5000);
const anyField = fc.oneof(
  fc.tuple(fieldNumber, fc.bigInt(0n, 2n ** 64n - 1n)),
  fc.tuple(fieldNumber, fc.uint8Array({ maxLength: 400 })),
);
const anyPacket = fc.array(anyField, { maxLength: 6 }).map((fields) => ({
  plain: packet(...fields.map(([number, value]) => field(number, value))),
  unknown: fields.map(([number]) => number).filter((number) => PACKET_FIELDS?.[number] !== 1),
}));
/** A trace of single packets, runs of packets compressed together, and other fields. */
const anyTrace = fc.array(
  fc.oneof(
    anyPacket.map((one) => ({ ...one, bytes: one.plain })),
    fc.array(anyPacket, { maxLength: 8 }).map((packets) => {
      const plain = Buffer.concat(packets.map((one) => one.plain));
      return { plain, bytes: zstdPacket(plain), unknown: packets.flatMap((one) => one.unknown) };
    }),
    fc.constantFrom(field(2, 7n), field(3, 'other')).map((other) => ({
      ...{ plain: other, bytes: other, unknown: [] as number[] },
    })),
  ),
  { maxLength: 12 },
);
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = places.map((place) => Math.floor(place * bytes.length)).toSorted((a, b) => a - b);
  return [...ends, bytes.length].map((end, nth) => bytes.subarray(ends[nth - 1] ?? 0, end));
}

test('packets come out decompressed and in order for any division of a trace into chunks', () => {
  fc.assert(
    fc.property(anyTrace, cuts, (parts, places) => {
      const bytes = Buffer.concat(parts.map((part) => part.bytes));
      const { bytes: out, findings } = rewritten(cutAt(bytes, places));
      expect(out.equals(Buffer.concat(parts.map((part) => part.plain)))).toBe(true);
      const expected = new Map<string, number>();
      for (const number of parts.flatMap((part) => part.unknown).toSorted((a, b) => a - b)) {
        const name = `unknown packet field ${number}`;
        expected.set(name, (expected.get(name) ?? 0) + 1);
      }
      expect(findings.warnings()).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

test('bytes that are no packets are passed on unchanged for any division into chunks', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), cuts, fc.boolean(), (noise, places, before) => {
      const bytes = Buffer.concat(before ? [A, noise, B] : [Buffer.of(0x0a), noise]);
      expect(rewritten(cutAt(bytes, places)).bytes.equals(bytes)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('a compressed trace cut at any offset loads as a prefix of the uncompressed trace', () => {
  const plain = Buffer.concat([A, B, C, B, A]);
  const twin = Buffer.concat([A, zstdPacket(Buffer.concat([B, C, B])), A]);
  for (let end = 0; end <= twin.length; end++) {
    const { bytes } = rewritten([twin.subarray(0, end)]);
    const whole = plain.subarray(0, bytes.length);
    // A compressed packet that is cut before its first compressed byte is passed on unchanged.
    const isHead = bytes.length > A.length && twin.subarray(0, end).equals(bytes);
    expect(bytes.equals(whole) || isHead).toBe(true);
  }
  const { findings } = rewritten([twin.subarray(0, twin.length - A.length - 3)]);
  expect([...findings.warnings()]).toEqual([
    ['incomplete: the trace ends within a zstd-compressed packet', 1],
  ]);
});

test.each<[string, Buffer, RegExp]>([
  ['no zstd data', packet(field(133, 'garbage that is no zstd')), /zstd data is damaged/],
  ['a cut frame', packet(field(133, zstd(B).subarray(0, -9))), /its zstd data is cut short/],
  ['no packets in it', zstdPacket(Buffer.from('text')), /its contents are not a packet/],
  ['half a packet in it', zstdPacket(B.subarray(0, 50)), /the last of the packets in it is cut/],
  ['another one in it', zstdPacket(zstdPacket(A)), /it holds another one/],
])('a compressed packet with %s is an error', (_, damaged, message) => {
  expect(() => rewritten([Buffer.concat([A, damaged, C])])).toThrow(message);
});

test('a compressed packet may contain several zstd frames, empty ones or none', () => {
  const two = packet(field(133, Buffer.concat([zstd(A), zstd(Buffer.alloc(0)), zstd(B)])));
  expect(rewritten([two, C]).bytes.equals(Buffer.concat([A, B, C]))).toBe(true);
  expect(rewritten([packet(field(133, Buffer.alloc(0))), C]).bytes.equals(C)).toBe(true);
});

test('extension descriptors are left out in the mode withoutDescriptors', () => {
  const descriptor = packet(field(72, 'descriptor'), field(3, 1));
  const trace = [Buffer.concat([A, descriptor, zstdPacket(Buffer.concat([descriptor, B]))])];
  expect(rewritten(trace).bytes.equals(Buffer.concat([A, descriptor, descriptor, B]))).toBe(true);
  const { bytes, findings } = rewritten(trace, { withoutDescriptors: true });
  expect(bytes.equals(Buffer.concat([A, B]))).toBe(true);
  expect([...findings.warnings()]).toEqual([['extension descriptor left out', 2]]);
});

test('the decompression bound stops a decompression bomb early', () => {
  const bomb = zstdPacket(Buffer.alloc(64 * 2 ** 20, Buffer.of(0x0a, 0x00)));
  expect(bomb.length).toBeLessThan(20_000);
  expect(() => rewritten([bomb], { unpackedMax: 2 ** 20 })).toThrow('the bound');
});

test('the number of different warnings is bounded', () => {
  const many = Array.from({ length: 900 }, (_, nth) => packet(field(1000 + nth, 1n)));
  const { findings } = rewritten([Buffer.concat(many)]);
  expect(findings.warnings().size).toBe(65);
  expect(findings.warnings().get('further warnings')).toBe(836);
});
