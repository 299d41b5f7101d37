/** Which traces are primed, and that each crafted one gives the same results as without the primed start. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { CORPUS } from '../../test/corpus/index.ts';
import { field, message } from '../../test/corpus/proto.ts';
import { primedMemory } from './load-engine.ts';
import { isSurelyPackets } from './primed-start.ts';
import { encodeSnapshot, SnapshotUnusable } from './snapshot/snapshot-file.ts';
import { queryRows, testEngine } from './testing.ts';
import { TraceProcessor } from './trace-processor.ts';

const engine = await testEngine();
const primed = new TraceProcessor(engine);
const plain = new TraceProcessor({ ...engine, primed: undefined });

const GZIP_CPU = readFileSync(join(CORPUS, 'recorded/linux/gzip-cpu.pftrace'));
const TIMESTAMP = field(8, 1_000_000);
const UNKNOWN = 900;
const packet = (...fields: Uint8Array[]): Buffer => message(1, ...fields);
/** A packet whose first field has these bytes, although its tag says that it is a field of FIRST_FIELDS. */
const packetWithText = (text: string): Buffer => packet(field(5, text));

/** A packet that an engine which reads texts takes for JSON: `\n{\n"…`, with lengths 0x7b and 0x22. */
const LIKE_JSON = packet(field(1, Buffer.alloc(0x22)), field(UNKNOWN, Buffer.alloc(84)));
const TAR = Buffer.alloc(1024);
packet(field(5, Buffer.alloc(500))).copy(TAR);
TAR.write('ustar\0', 257);

const BEGINNINGS: [what: string, first: Uint8Array, isPrimed: boolean][] = [
  ['a recorded trace', GZIP_CPU, true],
  ['a packet with a time', packet(TIMESTAMP), true],
  ['a packet with a two-byte tag', packet(field(50, '')), true],
  ['no bytes', Buffer.of(), false],
  ['one byte', Buffer.of(0x0a), false],
  ['two bytes', GZIP_CPU.subarray(0, 2), false],
  ['three bytes', GZIP_CPU.subarray(0, 3), true],
  ['an empty packet, then another one', Buffer.concat([packet(), packet(TIMESTAMP)]), false],
  ['half of a two-byte tag', packet(field(50, 'abc')).subarray(0, 3), false],
  ['a length that does not end', Buffer.alloc(20, 0xff).fill(0x0a, 0, 1), false],
  ['a field that no packet has', packet(field(UNKNOWN, 'x')), false],
  ['symbols', packet(message(61, field(1, 'lib.so'), field(2, 'abc'))), false],
  ['deobfuscation', packet(message(64, field(1, 'a.b.c'))), false],
  ['a profile of pprof', Buffer.concat([packet(field(1, 1), field(2, 2)), field(6, '')]), false],
  ['what may be JSON', LIKE_JSON, false],
  ['what may be a systrace', packetWithText('# tracer: nop'), false],
  [
    'what may be collapsed stacks',
    Buffer.concat([packetWithText('a;b 7'), packet(TIMESTAMP)]),
    false,
  ],
  ['what may be collapsed stacks, cut', packetWithText('a;b 7  \v'), false],
  ['what is not quite collapsed stacks', packetWithText('a;b 7x'), true],
  ['what may be a tar', TAR, false],
  ['a gzip', gzipSync(GZIP_CPU), false],
  ['JSON', Buffer.from('{"traceEvents":[{"ph":"X","name":"a","ts":1,"dur":2,"pid":3}]}'), false],
  ['JSON after a line feed', Buffer.from('\n{"traceEvents":[]}'), false],
];

const SQL = `SELECT 'stats', name, idx, severity, value FROM stats UNION ALL
  SELECT 'file', trace_type, size, name, NULL FROM __intrinsic_trace_file UNION ALL
  SELECT 'metadata', name, str_value, int_value, NULL FROM metadata UNION ALL
  SELECT 'slice', name, ts, dur, NULL FROM slice UNION ALL
  SELECT 'sched', ts, dur, cpu, utid FROM sched`;

function outcome(processor: TraceProcessor, pieces: readonly Uint8Array[]): unknown {
  processor.reset();
  try {
    for (const piece of pieces) processor.append(piece);
    processor.finalize();
    return queryRows(processor, SQL);
  } catch (thrown) {
    return String(thrown);
  }
}

test.each(BEGINNINGS)('%s', (_what, first, isPrimed) => {
  expect(isSurelyPackets(first)).toBe(isPrimed);
  for (const pieces of [[first], [first, packet(TIMESTAMP)]])
    expect(outcome(primed, pieces)).toEqual(outcome(plain, pieces));
});

test('an instance is primed only for the first bytes of a trace, within its memory bound', () => {
  const { primed: snapshot } = engine;
  if (snapshot === undefined) throw new Error('the engine has no primed memory');
  const contents = new Uint8Array(snapshot.contents.length);
  const broken = new TraceProcessor({ ...engine, primed: { ...snapshot, contents } });
  const loads = (): void => {
    broken.append(GZIP_CPU);
    broken.finalize();
    expect(queryRows(broken, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
  };
  expect(loads).toThrow('TraceProcessor crashed');
  broken.reset();
  queryRows(broken, 'SELECT 1');
  loads();
  broken.restore(plain.snapshot());
  broken.reset();
  broken.memoryBytesMax = snapshot.memoryBytes - 1;
  broken.append(GZIP_CPU.subarray(0, 1000));
  expect(broken.poisoned).toBeUndefined();
});

test('an engine that does not accept the first byte alone is not primed', () => {
  const [refusing, crashing] = [new TraceProcessor(engine), new TraceProcessor(engine)];
  expect(() => refusing.append(Buffer.from('no trace at all'))).toThrow('Unknown trace type');
  expect(primedMemory(engine, refusing)).toBeUndefined();
  crashing.restore({
    ...engine.initial,
    contents: new Uint8Array(engine.initial.contents.length),
  });
  expect(primedMemory(engine, crashing)).toBeUndefined();
  const same = primedMemory(engine, new TraceProcessor(engine))?.contents ?? Buffer.alloc(0);
  expect(Buffer.compare(same, engine.primed?.contents ?? Buffer.alloc(0))).toBe(0);
  expect(same.length).toBeGreaterThan(2 ** 20);
});

test('what an earlier trace has left is gone, primed or not', () => {
  for (const trace of [GZIP_CPU, Buffer.from('{"traceEvents":[]}'), packetWithText('a;b 7')]) {
    primed.reset();
    for (const fill of [0xff, 0x01]) {
      const { contents, ...head } = primed.snapshot();
      primed.restore({ ...head, contents: new Uint8Array(contents.length).fill(fill) });
      primed.reset();
    }
    expect(outcome(primed, [trace])).toEqual(outcome(plain, [trace]));
    expect(outcome(primed, [trace])).toEqual(outcome(plain, [trace]));
  }
});

test('an instance that was reset stays poisoned after a snapshot file that ends too soon, until the next reset', async () => {
  const pieces: Uint8Array[] = [];
  outcome(plain, [GZIP_CPU]);
  for await (const piece of encodeSnapshot(plain.snapshot())) pieces.push(piece);
  let rest = Buffer.concat(pieces).subarray(0, -1);
  const processor = new TraceProcessor(engine);
  processor.reset();
  const read = (into: Uint8Array): number => {
    const length = rest.copy(into);
    rest = rest.subarray(length);
    return length;
  };
  expect(() => processor.restoreFile(read)).toThrow(SnapshotUnusable);
  expect(() => processor.query(Buffer.from('SELECT 1'), () => {})).toThrow(SnapshotUnusable);
  expect(() => processor.append(GZIP_CPU)).toThrow(SnapshotUnusable);
  processor.reset();
  expect(outcome(processor, [GZIP_CPU])).toEqual(outcome(plain, [GZIP_CPU]));
});
