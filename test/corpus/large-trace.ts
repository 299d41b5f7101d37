/**
 * Generates a trace of any size, in pieces: slices of track events, and context switches in both forms that recorders
 * write. Each packet is a template into which the time is written, so that a gigabyte takes seconds. Loaded, the trace
 * takes several times its size.
 */
import { field, message } from './proto.ts';

export interface LargeTrace {
  bytes: number;
  /** Rows of the table `slice`, each with this duration. */
  slices: number;
  sliceNs: number;
  /** Context switches, each of which begins a row of the table `sched`. */
  switches: number;
}

/** A time of this size has a varint of eight bytes, as all later ones of a trace have. */
const START_NS = 1_000_000_000_000_000n;
const STEP_NS = 1000n;
const PIECE_BYTES = 2 ** 20;
const TIME_BYTES = 8;
const SLICES = 16;
const SWITCHES = 16;
/** Context switches in the compact form, on another CPU. */
const COMPACT = 12;
const THREADS = 8;

/** A group of packets, and where the times in it are written; `step` is the time since the group's beginning. */
interface Template {
  bytes: Buffer;
  times: { at: number; step: bigint }[];
}

/** Returns what `writeLargeTrace` writes for this size. */
export function largeTraceOf(bytesWanted: number): LargeTrace {
  const groups = Math.ceil((bytesWanted - HEAD.length) / GROUP.bytes.length);
  return {
    bytes: HEAD.length + groups * GROUP.bytes.length,
    slices: groups * SLICES,
    sliceNs: Number(STEP_NS),
    switches: groups * (SWITCHES + COMPACT) - 1, // the first compact one only ends what ran before
  };
}

/** Yields the trace. Each piece is valid until the next one. */
export function* largeTrace({ slices }: LargeTrace): Generator<Buffer> {
  yield HEAD;
  const piece = Buffer.alloc(Math.floor(PIECE_BYTES / GROUP.bytes.length) * GROUP.bytes.length);
  for (let at = 0; at < piece.length; at += GROUP.bytes.length) piece.set(GROUP.bytes, at);
  const groups = slices / SLICES;
  const groupNs = STEP_NS * BigInt(2 * SLICES + SWITCHES + COMPACT);
  let filled = 0;
  for (let group = 0; group < groups; group++) {
    const begin = START_NS + groupNs * BigInt(group);
    for (const { at, step } of GROUP.times) putTime(piece, filled + at, begin + step);
    filled += GROUP.bytes.length;
    if (filled < piece.length && group < groups - 1) continue;
    yield piece.subarray(0, filled);
    filled = 0;
  }
}

/** Writes a time as a varint of eight bytes. */
function putTime(piece: Buffer, at: number, ns: bigint): void {
  let low = Number(ns & 0xfffffffn);
  let high = Number(ns >> 28n);
  for (let byte = 0; byte < 4; byte++) {
    piece[at + byte] = (low & 0x7f) | 0x80;
    low >>= 7;
  }
  for (let byte = 4; byte < TIME_BYTES; byte++) {
    piece[at + byte] = (high & 0x7f) | (byte < TIME_BYTES - 1 ? 0x80 : 0);
    high >>= 7;
  }
}

const packet = (...fields: Buffer[]): Buffer => message(1, ...fields);
const SEQUENCE = field(10, 1);

const HEAD = Buffer.concat([
  packet(SEQUENCE, field(13, 1), field(42, 1)), // incremental state cleared, first packet of its sequence
  packet(SEQUENCE, message(60, field(1, 1), message(3, field(1, 100), field(6, 'large')))), // process
  packet(SEQUENCE, message(60, field(1, 2), message(4, field(1, 100), field(2, 101)))), // thread
]);

const GROUP = groupTemplate();

function groupTemplate(): Template {
  const template: Template = { bytes: Buffer.alloc(0), times: [] };
  let step = 0n;
  const add = (make: (time: Buffer) => Buffer): void => {
    // A time that cannot occur elsewhere in the packet, to find where it stands.
    const marker = field(8, START_NS + 0x1234567n);
    const bytes = make(marker);
    const at = bytes.indexOf(marker.subarray(1));
    template.times.push({ at: template.bytes.length + at, step: step * STEP_NS });
    template.bytes = Buffer.concat([template.bytes, bytes]);
    step++;
  };
  for (let slice = 0; slice < SLICES; slice++) {
    const name = field(23, `work item ${slice}`);
    add((time) => packet(time, SEQUENCE, message(11, field(9, 1), field(11, 2), name)));
    add((time) => packet(time, SEQUENCE, message(11, field(9, 2), field(11, 2))));
  }
  for (let each = 0; each < SWITCHES; each++) {
    const task = (thread: number, at: number): Buffer[] => [
      field(at, `worker/${thread}`),
      field(at + 1, 200 + thread),
      field(at + 2, 120),
    ];
    const [before, after] = [each % THREADS, (each + 1) % THREADS];
    const change = message(4, ...task(before, 1), field(4, 1), ...task(after, 5));
    // The time of an event has the field 1, a packet's the field 8: both have tags of one byte.
    add((time) => {
      const own = Buffer.concat([field(1, 0).subarray(0, 1), time.subarray(1)]);
      return packet(message(1, field(1, 0), message(2, own, field(2, 200 + before), change)));
    });
  }
  addCompact(template, step * STEP_NS);
  return template;
}

/** Adds context switches in the compact form: packed columns, in which each time is the distance from the one before. */
function addCompact(template: Template, step: bigint): void {
  const marker = field(8, START_NS + 0x1234567n).subarray(1);
  const column = (value: (each: number) => number | bigint): Buffer =>
    Buffer.concat(Array.from({ length: COMPACT }, (_, each) => field(1, value(each)).subarray(1)));
  const times = column(() => STEP_NS).subarray(field(1, STEP_NS).length - 1);
  const bytes = packet(
    message(
      1,
      field(1, 1),
      message(
        4,
        field(5, 'compact'),
        field(1, Buffer.concat([marker, times])),
        field(
          2,
          column(() => 1),
        ),
        field(
          3,
          column((each) => 300 + (each % THREADS)),
        ),
        field(
          4,
          column(() => 120),
        ),
        field(
          6,
          column(() => 0),
        ),
      ),
    ),
  );
  template.times.push({ at: template.bytes.length + bytes.indexOf(marker), step });
  template.bytes = Buffer.concat([template.bytes, bytes]);
}
