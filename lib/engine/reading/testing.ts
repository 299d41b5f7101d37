/** Helpers of the reading tests: zstd data, compressed copies of traces, and a load that follows ReadAgain. */
import { compress, init } from '@bokuweb/zstd-wasm';
import { field } from '../../../test/corpus/proto.ts';
import type { Engine } from '../engine.ts';
import { TraceProcessor } from '../trace-processor.ts';
import type { Findings } from './findings.ts';
import { FIRST_READING, ReadAgain, type ReadingMode } from './read-again.ts';
import { TraceReading } from './trace-reading.ts';

await init();

export const ZSTD_PACKETS = 133;

export const zstd = (bytes: Uint8Array): Buffer => Buffer.from(compress(Buffer.from(bytes), 3));

/** Returns a zstd-compressed packet that contains these packets. */
export const zstdPacket = (packets: Uint8Array): Buffer =>
  field(1, field(ZSTD_PACKETS, zstd(packets)));

/** Splits a trace in Perfetto's own format into its packets, each with its tag. @throws Error on other fields */
export function packetsOf(trace: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at < trace.length; ) {
    if (trace[at] !== 0x0a) throw new Error(`no packet at ${at}`);
    let [length, scale, next] = [0, 1, at + 1];
    for (let more = true; more; scale *= 128) {
      const byte = trace[next++] ?? 0;
      length += (byte & 0x7f) * scale;
      more = byte >= 0x80;
    }
    packets.push(trace.subarray(at, next + length));
    at = next + length;
  }
  return packets;
}

/** Returns the same packets compressed as recorders do it: in order, in runs of up to `bytesMax` bytes. */
export function zstdTwin(trace: Buffer, bytesMax = 512 * 1024): Buffer {
  const runs: Buffer[] = [];
  let run: Buffer[] = [];
  let bytes = 0;
  const close = (): void => {
    if (run.length > 0) runs.push(zstdPacket(Buffer.concat(run)));
    [run, bytes] = [[], 0];
  };
  for (const packet of packetsOf(trace)) {
    if (bytes + packet.length > bytesMax) close();
    run.push(packet);
    bytes += packet.length;
  }
  close();
  return Buffer.concat(runs);
}

export function chunked(bytes: Uint8Array, length: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += length) chunks.push(bytes.subarray(at, at + length));
  return chunks;
}

export interface ReadTrace {
  processor: TraceProcessor;
  findings: Findings;
  /** The modes in which the trace was read, in order. */
  modes: ReadingMode[];
}

/** Loads a trace as a worker does. */
export function readTrace(
  engine: Engine,
  chunks: readonly Uint8Array[],
  unpackedBytesMax = 2 ** 32,
): ReadTrace {
  const processor = new TraceProcessor(engine);
  const modes: ReadingMode[] = [];
  for (let mode = FIRST_READING; ; ) {
    modes.push(mode);
    processor.reset();
    const reading = new TraceReading(engine, { mode, unpackedBytesMax }, processor);
    try {
      for (const chunk of chunks) reading.push(Uint8Array.from(chunk));
      reading.end();
      return { processor, findings: reading.findings, modes };
    } catch (thrown) {
      if (!(thrown instanceof ReadAgain)) throw thrown;
      mode = thrown.mode;
    }
  }
}
