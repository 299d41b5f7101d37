import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { CORPUS } from '../../../../test/corpus/index.ts';
import { field, message } from '../../../../test/corpus/proto.ts';
import { paxAttributes, type TestMember, tarOf, zipOf } from '../../../common/archive/testing.ts';
import { queryRows, testEngine } from '../../testing.ts';
import { chunked, readTrace, zstd, zstdPacket, zstdTwin } from '../testing.ts';

const engine = await testEngine();
const linux = readFileSync(join(CORPUS, 'recorded/linux/gzip-cpu.pftrace'));
const twin = zstdTwin(linux, 20_000);
const json = Buffer.from('{"traceEvents":[{"ph":"X","ts":1,"dur":5,"pid":1,"tid":1,"name":"a"}]}');
const SCHED = 2547n;
const COUNTS = `SELECT (SELECT count(*) FROM sched), (SELECT count(*) FROM slice WHERE name = 'a'),
  bigtrace_warnings()`;
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const APPLE_DOUBLE = Buffer.from('00051607000200004d6163204f532058', 'hex');
const README: TestMember = {
  name: 'README',
  bytes: Buffer.from('Recorded 12 traces: see below.\n'),
};

const archives = (trace: Buffer): Record<string, Buffer> => ({
  zip: zipOf({ name: 'a.pftrace', bytes: trace }),
  'stored zip': zipOf({ name: 'a.pftrace', bytes: trace, method: 'stored' }),
  'streamed zip': zipOf({ name: 'a.pftrace', bytes: trace, sizesAfter: 'signed' }),
  tar: tarOf({ name: 'a.pftrace', bytes: trace }),
  gzip: gzipSync(trace),
  'tar.gz': gzipSync(tarOf({ name: 'a.pftrace', bytes: trace })),
  'gzip in zip': zipOf({ name: 'a.pftrace.gz', bytes: gzipSync(trace), method: 'stored' }),
  'zip in zip': zipOf({ name: 'in.zip', bytes: zipOf({ name: 'a', bytes: trace }) }),
});

test.each(Object.entries(archives(twin)))('zstd packets in a %s are read', (name, archive) => {
  const plain = readTrace(engine, chunked(archives(linux)[name] ?? linux, 50_000));
  expect(plain.modes.map((mode) => mode.archives)).toEqual(['unchanged']);
  const rewritten = readTrace(engine, chunked(archive, 9_001));
  expect(rewritten.modes.map((mode) => mode.archives)).toEqual(['unchanged', 'rewritten']);
  expect(queryRows(rewritten.processor, COUNTS)).toEqual([[SCHED, 0n, null]]);
  expect(queryRows(rewritten.processor, COUNTS)).toEqual(queryRows(plain.processor, COUNTS));
  expect(rewritten.findings.zstdPackets).toBeGreaterThan(1);
});

test('an archive is read in chunks of any size', () => {
  const tail = { ...README, name: 'b', sizesAfter: 'zip64' as const };
  const small = zipOf({ name: 'a.json', bytes: json, sizesAfter: 'bare' }, tail);
  const tar = tarOf({ name: 'a.json', bytes: json }, { name: 'b', bytes: README.bytes });
  for (const archive of [small, tar])
    for (const length of [1, 2, 7, 511, 513]) {
      const { processor, modes } = readTrace(engine, chunked(archive, length));
      expect(modes.at(-1)?.archives).toBe('traces only');
      expect(queryRows(processor, 'SELECT dur FROM slice')).toEqual([[5000n]]);
    }
});

test('files that are no traces are left out, with a warning for each', () => {
  const members = [
    README,
    { name: '__MACOSX/._a.json', bytes: APPLE_DOUBLE },
    { name: 'a.json', bytes: json },
    { name: 'shot.png', bytes: PNG },
    { name: 'empty', bytes: Buffer.alloc(0) },
    { name: 'linux.pftrace', bytes: twin },
  ];
  const archives = [
    zipOf({ name: 'dir/', bytes: Buffer.alloc(0), method: 'stored' }, ...members),
    tarOf({ name: 'dir/', bytes: Buffer.alloc(0), type: '5' }, ...members),
  ];
  for (const archive of archives) {
    const { processor } = readTrace(engine, chunked(archive, 30_000));
    const [row = []] = queryRows(processor, COUNTS);
    expect(row.slice(0, 2)).toEqual([SCHED, 0n]); // beside a proto trace, the engine has no clock for JSON
    expect(JSON.parse(String(row[2]))).toEqual({
      'archive member "README" left out: it is not a trace': 1,
      'archive member "__MACOSX/._a.json" left out: it is not a trace': 1,
      'archive member "empty" left out: it is not a trace': 1,
      'archive member "shot.png" left out: it is a PNG image': 1,
    });
  }
});

test('an archive without any trace is refused with the name of a member', () => {
  expect(() => readTrace(engine, [zipOf(README)])).toThrow(
    'its member "README": it is not a trace',
  );
});

test.each<[string, Partial<TestMember>]>([
  ['a name in UTF-8', { name: 'größer.json', flags: 0x800 }],
  ['sizes of 64 bits', { zip64: true }],
  ['a member compressed with zstd', { method: { id: 93, pack: zstd } }],
  ['sizes after the data, of 64 bits', { sizesAfter: 'zip64', flags: 0x800 }],
])('a zip with %s, which the engine refuses, is read', (_, more) => {
  const archive = zipOf({ name: 'a.json', bytes: json, ...more });
  const { processor } = readTrace(engine, chunked(archive, 10));
  expect(queryRows(processor, 'SELECT dur FROM slice')).toEqual([[5000n]]);
});

test('a tar with attributes of pax and long names is read', () => {
  const archive = tarOf(
    paxAttributes({ path: 'ü'.repeat(200), mtime: '1.5' }),
    { name: 'short', bytes: json },
    { name: '././@LongLink', bytes: Buffer.from(`${'b'.repeat(150)}\0`), type: 'L' },
    { name: 'cut', bytes: twin },
    { name: 'link', bytes: Buffer.alloc(0), type: '2' },
  );
  const { processor } = readTrace(engine, chunked(archive, 1000));
  const [row = []] = queryRows(processor, COUNTS);
  expect(row.slice(0, 2)).toEqual([SCHED, 0n]);
});

test.each([
  ['in UTF-16', Buffer.from(`\ufeff${json}`, 'utf16le')],
  ['compressed with zstd', zstd(json)],
])('a member %s is converted', (_, bytes) => {
  const archive = zipOf({ name: 'a.json', bytes });
  expect(queryRows(readTrace(engine, [archive]).processor, COUNTS)).toEqual([[0n, 1n, null]]);
});

test('unknown packet fields of a member are reported', () => {
  const future = message(1, field(8, 5n), field(134, 'an event of tomorrow'));
  const { processor, modes } = readTrace(engine, [gzipSync(Buffer.concat([linux, future]))]);
  expect(modes).toHaveLength(1);
  expect(queryRows(processor, COUNTS)).toEqual([[SCHED, 0n, '{"unknown packet field 134":1}']]);
});

const bomb = Buffer.concat([linux, Buffer.alloc(2 ** 22, Buffer.of(0x0a, 0x00))]);
const zstdBomb = Buffer.concat([linux, zstdPacket(Buffer.alloc(2 ** 22, Buffer.of(0x0a, 0x00)))]);

test.each([...Object.entries(archives(bomb)), ...Object.entries(archives(zstdBomb))])(
  'a bomb in a %s is an error that names the bound',
  (name, archive) => {
    if (archive.length > 2 ** 21) return; // stored: what is in it is as large as the file
    expect(() => readTrace(engine, chunked(archive, 100_000), 2 ** 21), name).toThrow(
      'the trace decompresses to more than 2097152 bytes, the bound (--trace-bytes-max)',
    );
  },
);

test('damage in a member that has to be rewritten is an error that names it', () => {
  const whole = zipOf({ name: 'a.pftrace', bytes: twin, method: 'stored' }, README);
  const damaged = Buffer.from(whole);
  damaged[twin.length - 100] = (damaged[twin.length - 100] ?? 0) ^ 0xff;
  expect(() => readTrace(engine, [damaged])).toThrow(
    /member "a.pftrace" of the archive|its member "a.pftrace"/,
  );
  for (const cut of [twin.length - 5, whole.indexOf(Buffer.from('504b0102', 'hex')) - 9])
    expect(() => readTrace(engine, [whole.subarray(0, cut)])).toThrow(
      'the zip data of the trace is cut short',
    );
  const tar = tarOf({ name: 'a.pftrace', bytes: twin });
  expect(() => readTrace(engine, [tar.subarray(0, twin.length)])).toThrow(
    'the tar data of the trace is cut short',
  );
  const encrypted = zipOf({ name: 'a.pftrace', bytes: twin }, { ...README, flags: 1 });
  expect(() => readTrace(engine, [encrypted])).toThrow('member "README" of the zip is encrypted');
});

test('archives that the engine reads go to it unchanged, damaged ones too', () => {
  const badChecksum = gzipSync(linux);
  badChecksum.writeUInt32LE(0, badChecksum.length - 8);
  expect(() => readTrace(engine, [badChecksum])).toThrow('Failed to decompress trace chunk');
});

test('a bugreport with a short name without a date, at which the engine crashes, is read as one with a long name', () => {
  const dumpstate = Buffer.from(
    `${'='.repeat(56)}\n== dumpstate: 2026-11-28 14:00:00\n${'='.repeat(56)}\n\nBuild: A\n------ UPTIME (uptime) ------\nup 2 minutes\n`,
  );
  const report = (name: string): Buffer =>
    zipOf({ name: 'version.txt', bytes: Buffer.from('2.0') }, { name, bytes: dumpstate });
  const rows = (name: string): unknown[][] =>
    queryRows(
      readTrace(engine, [report(name)]).processor,
      'SELECT section, line FROM android_dumpstate',
    );
  expect(rows('bugreport-of-a-device-without-date.txt').length).toBeGreaterThan(0);
  expect(rows('bugreport-x.txt')).toEqual(rows('bugreport-of-a-device-without-date.txt'));
});

test('an Android bugreport is read, with zstd packets in its trace', () => {
  const dumpstate = '== dumpstate: 2026-11-28 14:00:00\n';
  const report = (trace: Buffer): Buffer =>
    zipOf(
      { name: 'version.txt', bytes: Buffer.from('2.0') },
      { name: 'bugreport-2026-11-28-14-00-00.txt', bytes: Buffer.from(dumpstate) },
      { name: 'FS/data/misc/perfetto-traces/bugreport/systrace.pftrace', bytes: trace },
      { name: 'dumpstate_board.bin', bytes: PNG },
    );
  const whole = readTrace(engine, [report(linux)]);
  expect(whole.modes).toHaveLength(1);
  const rewritten = readTrace(engine, [report(twin)]);
  expect(rewritten.modes).toHaveLength(2);
  const types = 'SELECT trace_type FROM __intrinsic_trace_file ORDER BY id';
  expect(queryRows(rewritten.processor, types)).toEqual(queryRows(whole.processor, types));
  expect(queryRows(rewritten.processor, COUNTS)).toEqual(queryRows(whole.processor, COUNTS));
});
