import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CORPUS, COUNTS_SQL } from '../../../test/corpus/index.ts';
import { queryRows, testEngine } from '../testing.ts';
import { chunked, readTrace, zstd, zstdTwin } from './testing.ts';

const engine = await testEngine();
const read = (path: string): Buffer => readFileSync(join(CORPUS, path));
const linux = read('recorded/linux/gzip-cpu.pftrace');
const COUNTS = [605n, 2547n, 164n, 105n, 6585n, 3_955_221_961n];
const packed = (ending: string): Buffer => read(`handmade/gzip-cpu.pftrace.${ending}`);

const ENDINGS = ['zst', 'xz', 'bz2', 'lz4'];

test.each(ENDINGS)('a trace in a .%s file is decompressed, in chunks of any size', (ending) => {
  for (const length of [1000, 2 ** 20]) {
    const { processor, findings } = readTrace(engine, chunked(packed(ending), length));
    expect(queryRows(processor, COUNTS_SQL)).toEqual([COUNTS]);
    expect(findings.unpackedBytes).toBe(linux.length);
  }
});

test.each(ENDINGS)('a .%s file that is cut short or damaged does not load', (ending) => {
  const whole = packed(ending);
  const reason = (bytes: Buffer): string => {
    try {
      readTrace(engine, [bytes]);
      return 'it loads';
    } catch (thrown) {
      return (thrown as Error).message;
    }
  };
  expect(reason(whole.subarray(0, Math.floor(whole.length / 2)))).toMatch(/data .*is cut short$/);
  const damaged = Buffer.from(whole);
  damaged.fill(0xa5, whole.length >> 1, (whole.length >> 1) + 64);
  expect(reason(damaged)).toMatch(/data .*is damaged|corrupt/);
});

test('a file that is compressed several times is read, up to 4 layers', () => {
  const twice = zstd(zstd(zstdTwin(linux)));
  expect(queryRows(readTrace(engine, [twice]).processor, COUNTS_SQL)).toEqual([COUNTS]);
  let many = linux;
  for (let layer = 0; layer < 5; layer++) many = zstd(many);
  expect(() => readTrace(engine, [many])).toThrow('compressed more than 4 times over');
});

/** Streams without content, of the largest block size. */
const EMPTY: Record<string, string> = {
  bz2: '425a683917724538509000000000',
  lz4: '04224d1860707300000000',
};

test.each(Object.keys(EMPTY))(
  'a .%s file may have many streams, which share one buffer',
  (ending) => {
    const streams = Buffer.concat([
      ...Array.from({ length: 20_000 }, () => Buffer.from(EMPTY[ending] ?? '', 'hex')),
      packed(ending),
    ]);
    const { processor, findings } = readTrace(engine, [streams]);
    expect(queryRows(processor, COUNTS_SQL)).toEqual([COUNTS]);
    expect(findings.unpackedBytes).toBe(linux.length);
  },
);

test('a compressed file beyond the decompression bound is refused', () => {
  const bomb = zstd(Buffer.alloc(2 ** 24, ' '));
  expect(() => readTrace(engine, [bomb], 2 ** 20)).toThrow(
    'the trace decompresses to more than 1048576 bytes, the bound (--trace-bytes-max)',
  );
});

test('a file may consist of several frames, and an empty frame is an empty trace', () => {
  const [front, back] = [linux.subarray(0, 50_000), linux.subarray(50_000)];
  const skippable = Buffer.from('502a4d180400000078787878', 'hex');
  const frames = Buffer.concat([skippable, zstd(front), zstd(back)]);
  expect(queryRows(readTrace(engine, chunked(frames, 7)).processor, COUNTS_SQL)).toEqual([COUNTS]);
  const two = Buffer.concat([packed('bz2'), packed('bz2')]);
  expect(readTrace(engine, [two]).findings.unpackedBytes).toBe(2 * linux.length);
  expect(readTrace(engine, [zstd(Buffer.alloc(0))]).findings.unpackedBytes).toBe(0);
});

const JSON_TRACE = '{"traceEvents":[{"ph":"X","ts":1,"dur":5,"pid":1,"tid":1,"name":"größer 🚀"}]}';
const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

test.each<[string, Buffer]>([
  ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${JSON_TRACE}`)],
  ['UTF-16, little-endian', Buffer.from(`\ufeff${JSON_TRACE}`, 'utf16le')],
  ['UTF-16, big-endian', swapped(`\ufeff${JSON_TRACE}`)],
])('text in %s is re-encoded', (_, bytes) => {
  const { processor } = readTrace(engine, chunked(bytes, 5));
  expect(queryRows(processor, 'SELECT name, dur FROM slice')).toEqual([['größer 🚀', 5000n]]);
});
