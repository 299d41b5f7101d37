import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CORPUS } from '../../../test/corpus/index.ts';
import { field, message } from '../../../test/corpus/proto.ts';
import { queryRows, testEngine } from '../testing.ts';
import {
  chunked,
  packetsOf,
  readTrace,
  ZSTD_PACKETS,
  zstd,
  zstdPacket,
  zstdTwin,
} from './testing.ts';

const engine = await testEngine();
const linux = readFileSync(join(CORPUS, 'recorded/linux/compile-c.pftrace'));
const COUNTS = `SELECT (SELECT count(*) FROM sched), (SELECT count(*) FROM thread),
  (SELECT end_ts - start_ts FROM trace_bounds), bigtrace_warnings()`;

const packet = (...fields: Buffer[]): Buffer => message(1, ...fields);

test('a trace of zstd-compressed packets returns the same rows as the uncompressed trace', () => {
  const plain = readTrace(engine, chunked(linux, 100_000));
  const twin = zstdTwin(linux);
  expect(twin.length).toBeLessThan(linux.length / 2);
  const { processor, findings } = readTrace(engine, chunked(twin, 10_000));
  expect(queryRows(processor, COUNTS)).toEqual(queryRows(plain.processor, COUNTS));
  expect(queryRows(processor, COUNTS)[0]).toEqual([3321n, 344n, 4_966_527_442n, null]);
  expect(findings.zstdPackets).toBe(1);
  expect(findings.unpackedBytes).toBe(linux.length);
});

test('the engine itself reports no error for a packet field that it does not know', () => {
  const counts = "SELECT count(*) FROM stats WHERE value > 0 AND severity = 'error'";
  const twin = readTrace(engine, [linux, field(1, field(999, zstd(linux)))]).processor;
  expect(queryRows(twin, counts)).toEqual([[0n]]);
});

test('bigtrace_warnings reports unknown packet fields by number and count', () => {
  const future = packet(field(8, 5n), field(134, 'an event of tomorrow'));
  const trace = Buffer.concat([linux, future, zstdPacket(Buffer.concat([future, future]))]);
  const { processor } = readTrace(engine, [trace]);
  const [[warnings]] = queryRows(processor, 'SELECT bigtrace_warnings()') as [[string]];
  expect(JSON.parse(warnings)).toEqual({ 'unknown packet field 134': 3 });
  processor.restore(processor.snapshot());
  expect(queryRows(processor, 'SELECT bigtrace_warnings()')).toEqual([[warnings]]);
  processor.reset();
  processor.append(linux);
  processor.finalize();
  expect(queryRows(processor, 'SELECT bigtrace_warnings()')).toEqual([[null]]);
});

/** Returns a packet as recorders write it, with a file descriptor that extends TrackEvent by one field. */
function descriptor(file: string, type: number): Buffer {
  const extension = message(
    7,
    ...[field(1, 'blob'), field(3, 9901), field(4, 1), field(5, type)],
    field(2, '.perfetto.protos.TrackEvent'),
  );
  const source = message(1, field(1, file), field(2, 'perfetto.protos'), extension);
  return packet(field(72, message(1, source)));
}

test('a trace with descriptors that the engine refuses is loaded without them', () => {
  const [INT64, STRING] = [3, 9];
  const trace = Buffer.concat([descriptor('a.proto', INT64), linux, descriptor('b.proto', STRING)]);
  const { processor, modes } = readTrace(engine, chunked(trace, 50_000));
  expect(modes.map((mode) => mode.withoutDescriptors)).toEqual([false, true]);
  const [row] = queryRows(processor, COUNTS);
  expect(row).toEqual([3321n, 344n, 4_966_527_442n, '{"extension descriptor left out":2}']);
  const accepted = Buffer.concat([descriptor('a.proto', INT64), linux]);
  expect(readTrace(engine, [accepted]).modes).toHaveLength(1);
});

test('a trace that is cut short within a compressed packet is loaded up to the cut', () => {
  const twin = zstdTwin(linux, 20_000);
  const { processor } = readTrace(engine, [twin.subarray(0, Math.floor(twin.length * 0.7))]);
  const [[sched]] = queryRows(processor, 'SELECT count(*) FROM sched') as [[bigint]];
  expect(sched).toBeGreaterThan(500n);
  expect(sched).toBeLessThan(3321n);
  expect(queryRows(processor, 'SELECT bigtrace_warnings()')).toEqual([
    ['{"incomplete: the trace ends within a zstd-compressed packet":1}'],
  ]);
});

test('a trace that ends within a packet, or where no packet begins, has a warning', () => {
  const warnings = (trace: Buffer): string[] => [
    ...readTrace(engine, chunked(trace, 10_000)).findings.warnings().keys(),
  ];
  expect(warnings(linux.subarray(0, -1))).toEqual(['incomplete: the trace ends within a packet']);
  expect(warnings(linux.subarray(0, 2))).toEqual(['incomplete: the trace ends within a packet']);
  const overflow = Buffer.concat([Buffer.of(0x0a), Buffer.alloc(12, 0xff)]);
  expect(warnings(overflow)).toEqual([
    'incomplete: something that is no packet follows a packet; the engine stops there',
  ]);
});

test.each([
  [
    'a bomb',
    [linux, zstdPacket(Buffer.alloc(2 ** 24, Buffer.of(0x0a, 0x00)))],
    'the trace decompresses to more than 1000000 bytes, the bound (--trace-bytes-max)',
  ],
  [
    'damage',
    [linux, packet(field(ZSTD_PACKETS, 'no zstd'))],
    "zstd data is damaged (libzstd's error 10)",
  ],
])('%s in a trace is an error', (_, chunks, detail) => {
  expect(() => readTrace(engine, chunks, 1_000_000)).toThrow(detail);
});

test('compressed and uncompressed packets keep their order', () => {
  const packets = packetsOf(linux);
  const parts: Buffer[] = [];
  for (let at = 0; at < packets.length; at += 7) {
    const run = Buffer.concat(packets.slice(at, at + 7));
    parts.push(at % 2 === 0 ? zstdPacket(run) : run);
  }
  const { processor, findings } = readTrace(engine, chunked(Buffer.concat(parts), 333));
  expect(findings.zstdPackets).toBeGreaterThan(1);
  expect(queryRows(processor, COUNTS)).toEqual([[3321n, 344n, 4_966_527_442n, null]]);
});
