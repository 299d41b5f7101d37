/** Packets that the compiled code skips are those that JavaScript would pass on unchanged, with the same findings. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CORPUS } from '../../../test/corpus/index.ts';
import { type Engine, FIRST_READING, TraceReading } from '../index.ts';
import { zstdTwin } from '../reading/testing.ts';
import { testEngine } from '../testing.ts';

const native = await testEngine();
const v8 = await testEngine({ runtime: 'v8', addons: '' });
const TRACE_BYTES_MAX = 1.5e6;

interface Read {
  bytes: Buffer;
  warnings: [string, number][];
  zstdPackets: number;
  error: string | undefined;
}

/** Reads a trace in pieces of this length, without an engine behind. */
function read(engine: Engine, trace: Uint8Array, pieceBytes: number): Read {
  const out: Buffer[] = [];
  const sink = {
    append: (bytes: Uint8Array) => void out.push(Buffer.from(bytes)),
    finalize: () => {},
    tellWarnings: () => {},
  };
  const options = { mode: FIRST_READING, unpackedBytesMax: 2 ** 22 };
  const reading = new TraceReading(engine, options, sink);
  let error: string | undefined;
  try {
    for (let at = 0; at < trace.length; at += pieceBytes)
      reading.push(Uint8Array.from(trace.subarray(at, at + pieceBytes)));
    reading.end();
  } catch (thrown) {
    error = String(thrown);
  }
  const { findings } = reading;
  const warnings = [...findings.warnings()];
  return { bytes: Buffer.concat(out), warnings, zstdPackets: findings.zstdPackets, error };
}

function expectSame(trace: Uint8Array, pieceBytes: number): void {
  const [one, other] = [read(native, trace, pieceBytes), read(v8, trace, pieceBytes)];
  expect(one.bytes.equals(other.bytes)).toBe(true);
  expect({ ...one, bytes: '' }).toEqual({ ...other, bytes: '' });
}

const traces = readdirSync(CORPUS, { recursive: true, encoding: 'utf8' })
  .map((name) => join(CORPUS, name))
  .filter((path) => statSync(path).isFile() && statSync(path).size <= TRACE_BYTES_MAX);

test('every trace of the corpus', () => {
  expect(traces.length).toBeGreaterThan(30);
  for (const path of traces) {
    const trace = readFileSync(path);
    expectSame(trace, 2 ** 20);
    expectSame(trace.subarray(0, 60_000), 997);
  }
});

test('traces with random damage, and with compressed packets', () => {
  const trace = readFileSync(join(CORPUS, 'recorded/linux/gzip-cpu.pftrace'));
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 300; round++) {
    const damaged = Buffer.from(trace.subarray(0, 1000 + random(60_000)));
    for (let n = random(20); n > 0; n--) damaged[random(damaged.length)] = random(256);
    expectSame(damaged, 1 + random(20_000));
  }
  expectSame(zstdTwin(trace), 10_000);
  for (let round = 0; round < 300; round++) {
    const noise = Buffer.from(
      Array.from({ length: 400 }, () => [0x0a, 0x80, random(256), 0, 2][random(5)] ?? 0),
    );
    expectSame(Buffer.concat([trace.subarray(0, 200), noise]), 1 + random(300));
  }
});
