/** Generators of corpus files: damaged copies of samples, decompression bombs, long names. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createDeflate, createGzip, gzipSync } from 'node:zlib';
import { androidTrace } from './android.ts';
import { SAMPLES } from './index.ts';
import { field, message } from './proto.ts';

type Content = Uint8Array | Readable;

const MIB = 2 ** 20;

const linux = (): Buffer => readFileSync(join(SAMPLES, 'linux/compile-c.pftrace'));
const chrome = (): Buffer => readFileSync(join(SAMPLES, 'chrome/dom-cpuprofile.pftrace'));

export const generators: Record<string, () => Content | Promise<Content>> = {
  'bad/concat-same-twice.pftrace': () => Buffer.concat([linux(), linux()]),
  'bad/garbage-4k-inserted-linux.pftrace': () =>
    spliced(linux(), 79_217, 0, noise('inserted', 4096)),
  'bad/garbage-4k-over-chrome.pftrace': () =>
    spliced(chrome(), 1_080_587, 4096, noise('chrome', 4096)),
  'bad/garbage-4k-over-linux.pftrace': () => spliced(linux(), 79_217, 4096, noise('linux', 4096)),
  'bad/garbage-64-head-linux.pftrace': () => Buffer.concat([noise('head', 64), linux()]),
  'bad/gz-bad-crc.pftrace.gz': () => withBadCrc(gzipSync(linux())),
  'bad/gz-bomb-300m-json-spaces.json.gz': () =>
    gzipped(repeated(Buffer.alloc(MIB, ' '), 300, Buffer.from('{"traceEvents":['))),
  'bad/gz-bomb-300m-zeros.gz': () => gzipped(repeated(Buffer.alloc(MIB), 300)),
  'bad/gz-bomb-500m-proto-empty-packets.pftrace.gz': () => gzipped(repeated(emptyPackets, 500)),
  'bad/gz-multi-member.pftrace.gz': () => {
    const half = linux().length / 2;
    return Buffer.concat([gzipSync(linux().subarray(0, half)), gzipSync(linux().subarray(half))]);
  },
  'bad/gz-trailing-garbage.pftrace.gz': () =>
    Buffer.concat([gzipSync(linux()), noise('trailing', 1000)]),
  'bad/json-100k-nested-args.json': () => {
    const nested = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    return Buffer.from(
      `{"traceEvents":[{"ph":"X","ts":1,"dur":5,"pid":1,"tid":1,"name":"n","args":${nested}}]}`,
    );
  },
  'bad/json-name-1mb.json': () => {
    const name = 'a'.repeat(1_000_000);
    return Buffer.from(
      `{"traceEvents": [{"ph": "X", "ts": 1, "dur": 5, "pid": 1, "tid": 1, "name": "${name}"}]}`,
    );
  },
  'bad/proto-compressed-bomb-300m.pftrace': async () =>
    field(PACKET, field(COMPRESSED_PACKETS, await bytesOf(deflated(repeated(emptyPackets, 300))))),
  'bad/proto-compressed-garbage.pftrace': () =>
    Buffer.concat([field(PACKET, field(COMPRESSED_PACKETS, noise('compressed', 500))), linux()]),
  'bad/proto-ends-only.pftrace': () => trackEvents(5000, SLICE_END),
  'bad/proto-unfinished-begins-20k.pftrace': () => trackEvents(20_000, SLICE_BEGIN),
  'bad/random-64k-0a-first.pftrace': () =>
    Buffer.concat([Buffer.of(0x0a), noise('0a first', 65_535)]),
  'bad/random-64k.bin': () => Buffer.concat([Buffer.of(0xd5), noise('random', 65_535)]),
  'bad/shell.elf': () =>
    Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(57), noise('elf', 35_600)]),
  'bad/trace-gz-named.pftrace': () => gzipSync(linux()),
  'bad/zeros-64k.bin': () => Buffer.alloc(65_536),
  'handmade/android-apps.pftrace': () => androidTrace(),
};

/** Returns pseudorandom bytes that depend only on the name. */
function noise(name: string, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let n = 0; n * 32 < length; n++)
    parts.push(createHash('sha256').update(`${name} ${n}`).digest());
  return Buffer.concat(parts).subarray(0, length);
}

function spliced(base: Buffer, at: number, removed: number, inserted: Buffer): Buffer {
  return Buffer.concat([base.subarray(0, at), inserted, base.subarray(at + removed)]);
}

function withBadCrc(gzip: Buffer): Buffer {
  const crcAt = gzip.length - 8;
  gzip.writeUInt8(gzip.readUInt8(crcAt) ^ 0xff, crcAt);
  return gzip;
}

function repeated(chunk: Buffer, times: number, head = Buffer.of()): Readable {
  return Readable.from(
    (function* () {
      if (head.length > 0) yield head;
      for (let n = 0; n < times; n++) yield chunk;
    })(),
  );
}

const gzipped = (content: Readable): Readable => content.pipe(createGzip());
const deflated = (content: Readable): Readable => content.pipe(createDeflate());

async function bytesOf(content: Readable): Promise<Buffer> {
  return Buffer.concat(await content.toArray());
}

/** Field numbers of perfetto.protos.Trace and TracePacket. */
const PACKET = 1;
const COMPRESSED_PACKETS = 50;

const emptyPackets = Buffer.alloc(MIB, Buffer.of(0x0a, 0x00));

/** Types of track events. */
const SLICE_BEGIN = 1;
const SLICE_END = 2;

/** Returns a trace of events of one type on one track, 1 ns apart. */
function trackEvents(count: number, type: number): Buffer {
  const sequence = field(10, 1);
  const thread = message(4, field(1, 10), field(2, 10), field(5, 'thr'));
  const packets = [message(PACKET, sequence, message(60, field(1, 7), field(2, 'trk'), thread))];
  const name = type === SLICE_BEGIN ? [field(23, 'd')] : [];
  for (let at = 1000; at < 1000 + count; at++)
    packets.push(
      message(PACKET, field(8, at), sequence, message(11, field(9, type), field(11, 7), ...name)),
    );
  return Buffer.concat(packets);
}
