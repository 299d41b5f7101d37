/**
 * Snapshots of an instance's memory: the pages that differ from the layer below, in runs. The initial snapshot of an
 * engine (before it loads a trace) lies over zeros; that of a loaded trace lies over the initial one. Most of a small
 * trace's memory equals the initial snapshot, so its own snapshot is small.
 */

/** Unit of snapshots: a page differs or does not. */
export const PAGE_BYTES = 4096;
/** Memory is compared and copied in blocks of this size. */
const BLOCK_BYTES = 2 ** 16;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** The description of a snapshot, without its contents. */
export interface SnapshotHead {
  /** `Engine.identity` of the engine that it belongs to. */
  engine: string;
  /** Size of the whole memory. */
  memoryBytes: number;
  /** Pairs of first page and number of pages; ascending and disjoint. */
  runs: Uint32Array;
}

/**
 * Plain data in SharedArrayBuffers, so posting it to another thread copies nothing; or in ArrayBuffers, which one thread
 * owns, so that `freeSnapshot` can return their memory at once. It must not be changed.
 */
export interface Snapshot extends SnapshotHead {
  /** The pages of all runs, one after another. */
  contents: Uint8Array;
}

/** Returns the memory that a snapshot occupies, in bytes. */
export function snapshotBytes(snapshot: Snapshot): number {
  return snapshot.runs.byteLength + snapshot.contents.byteLength;
}

/** Returns a snapshot that another thread posted: V8 posts the length of a view modulo 4 GiB, and its buffer whole. */
export function receivedSnapshot({ contents, ...head }: Snapshot): Snapshot {
  return { ...head, contents: new Uint8Array(contents.buffer) };
}

/**
 * Returns the memory of a snapshot to the system, if it is in ArrayBuffers; it cannot be used any more. Node 20 does it
 * at some later time.
 */
export function freeSnapshot({ runs, contents }: Snapshot): void {
  for (const { buffer } of [runs, contents])
    if (buffer instanceof ArrayBuffer) (buffer as TransferableBuffer).transfer?.(0);
}

interface TransferableBuffer extends ArrayBuffer {
  /** From Node 22 on. */
  transfer?(newLength: number): ArrayBuffer;
}

/** A range of memory and the place of its bytes in `contents`; without `contents`, the bytes are zero. */
interface Segment {
  from: number;
  to: number;
  contents: Buffer | undefined;
  contentsAt: number;
}

/** A snapshot over the layer below. Its segments can be read once, in ascending order. */
class Layer {
  readonly #runs: Uint32Array;
  readonly #contents: Buffer;
  readonly #below: Layer | undefined;
  #run = 0;
  #contentsAt = 0;

  constructor({ runs, contents }: Snapshot, below?: Layer) {
    this.#runs = runs;
    this.#contents = asBuffer(contents);
    this.#below = below;
  }

  *segments(from: number, to: number): Generator<Segment> {
    let at = from;
    while (at < to && this.#run < this.#runs.length) {
      const runFrom = (this.#runs[this.#run] ?? 0) * PAGE_BYTES;
      const runTo = runFrom + (this.#runs[this.#run + 1] ?? 0) * PAGE_BYTES;
      if (runFrom >= to) break;
      if (runFrom > at) yield* this.#gap(at, runFrom);
      at = Math.max(at, runFrom);
      const end = Math.min(runTo, to);
      const contentsAt = this.#contentsAt + at - runFrom;
      if (at < end) yield { from: at, to: end, contents: this.#contents, contentsAt };
      at = Math.max(at, end);
      if (runTo > to) break;
      this.#run += 2;
      this.#contentsAt += runTo - runFrom;
    }
    if (at < to) yield* this.#gap(at, to);
  }

  *#gap(from: number, to: number): Generator<Segment> {
    if (this.#below === undefined) yield { from, to, contents: undefined, contentsAt: 0 };
    else yield* this.#below.segments(from, to);
  }
}

function layersOf(snapshots: readonly Snapshot[]): Layer | undefined {
  let layer: Layer | undefined;
  for (const snapshot of snapshots) layer = new Layer(snapshot, layer);
  return layer;
}

/** Yields the memory of the snapshots (lowest first) in regions of this size; each is valid until the next one. */
export function* regionsOf(
  snapshots: readonly Snapshot[],
  memoryBytes: number,
  regionBytes: number,
): Generator<Buffer> {
  const layer = layersOf(snapshots);
  const buffer = Buffer.alloc(regionBytes);
  for (let from = 0; from < memoryBytes; from += regionBytes) {
    const region = buffer.subarray(0, Math.min(regionBytes, memoryBytes - from));
    region.fill(0);
    for (const segment of layer?.segments(from, from + region.length) ?? []) {
      const { contents, contentsAt } = segment;
      const length = segment.to - segment.from;
      contents?.copy(region, segment.from - from, contentsAt, contentsAt + length);
    }
    yield region;
  }
}

/** Yields the blocks of `memory` that differ from the snapshots (lowest first). */
function* changedBlocks(memory: Buffer, snapshots: readonly Snapshot[]): Generator<Segment> {
  const layers = layersOf(snapshots);
  const whole = { from: 0, to: memory.length, contents: undefined, contentsAt: 0 };
  for (const segment of layers?.segments(0, memory.length) ?? [whole])
    yield* changedParts(memory, segment, BLOCK_BYTES);
}

function* changedParts(memory: Buffer, segment: Segment, grain: number): Generator<Segment> {
  const { contents } = segment;
  for (let from = segment.from; from < segment.to; from += grain) {
    const to = Math.min(from + grain, segment.to);
    const contentsAt = contents === undefined ? 0 : segment.contentsAt + from - segment.from;
    const same = memory.compare(contents ?? ZEROS, contentsAt, contentsAt + to - from, from, to);
    if (same !== 0) yield { from, to, contents, contentsAt };
  }
}

/**
 * Makes `memory` equal to the snapshots (lowest first). It writes only blocks that differ, and does not read memory
 * from `zeroFrom` on, which must be zero: the first access to newly allocated memory costs time.
 */
export function restoreMemory(
  memory: Uint8Array,
  snapshots: readonly Snapshot[],
  zeroFrom = memory.length,
): void {
  const target = asBuffer(memory);
  const whole = { from: 0, to: memory.length, contents: undefined, contentsAt: 0 };
  for (const segment of layersOf(snapshots)?.segments(0, memory.length) ?? [whole])
    restoreSegment(target, segment, zeroFrom);
}

/**
 * Makes `memory` equal to a snapshot over `below`, whose contents arrive in blocks; `zeroFrom` as in restoreMemory.
 * If `blocks` throws, the contents of `memory` are undefined.
 */
export function restoreBlocks(
  memory: Uint8Array,
  below: Snapshot,
  runs: Uint32Array,
  blocks: Iterable<Uint8Array>,
  zeroFrom: number,
): void {
  const target = asBuffer(memory);
  const lower = new Layer(below);
  for (const [from, to] of gapsOf(runs, memory.length))
    for (const segment of lower.segments(from, to)) restoreSegment(target, segment, zeroFrom);
  for (const { at, bytes } of blockPieces(runs, blocks)) target.set(bytes, at);
}

/** Bytes of a memory and where they are. */
export interface Piece {
  at: number;
  bytes: Uint8Array;
}

/** Yields the contents of a snapshot over zeros. */
export function* snapshotPieces({ runs, contents }: Snapshot): Generator<Piece> {
  yield* blockPieces(runs, [contents]);
}

/** Yields the contents of a snapshot that arrive in blocks; each piece is valid until the next one. */
export function* blockPieces(runs: Uint32Array, blocks: Iterable<Uint8Array>): Generator<Piece> {
  let run = 0;
  /** Bytes of the current run that have been yielded. */
  let done = 0;
  for (const block of blocks) {
    for (let at = 0; at < block.length; ) {
      const from = (runs[run] ?? 0) * PAGE_BYTES + done;
      const remaining = (runs[run + 1] ?? 0) * PAGE_BYTES - done;
      const bytes = block.subarray(at, at + remaining);
      yield { at: from, bytes };
      at += bytes.length;
      done += bytes.length;
      if (bytes.length < remaining) continue;
      run += 2;
      done = 0;
    }
  }
}

/** Yields the parts of a memory that are not zero. */
export function* memoryPieces(memory: Uint8Array): Generator<Piece> {
  const source = asBuffer(memory);
  for (const { from, to } of changedBlocks(source, []))
    yield { at: from, bytes: source.subarray(from, to) };
}

/** Yields the ranges of memory that no run covers. */
function* gapsOf(runs: Uint32Array, bytes: number): Generator<[from: number, to: number]> {
  let at = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const from = (runs[run] ?? 0) * PAGE_BYTES;
    if (from > at) yield [at, from];
    at = from + (runs[run + 1] ?? 0) * PAGE_BYTES;
  }
  if (at < bytes) yield [at, bytes];
}

/** Whether the runs are ascending, disjoint, and within a memory of `bytes`. */
export function fits(runs: Uint32Array, bytes: number): boolean {
  let at = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const [from = 0, pages = 0] = runs.subarray(run, run + 2);
    if (from < at || pages === 0) return false;
    at = from + pages;
  }
  return at * PAGE_BYTES <= bytes;
}

function restoreSegment(target: Buffer, segment: Segment, zeroFrom: number): void {
  const { from, to, contents, contentsAt } = segment;
  const used = Math.max(from, Math.min(to, zeroFrom));
  for (const part of changedParts(target, { ...segment, to: used }, BLOCK_BYTES)) {
    if (part.contents === undefined) target.fill(0, part.from, part.to);
    else
      part.contents.copy(target, part.from, part.contentsAt, part.contentsAt + part.to - part.from);
  }
  contents?.copy(target, used, contentsAt + used - from, contentsAt + to - from);
}

/** Takes a snapshot of `memory` over the snapshots `below` (lowest first), in buffers of the type `BufferOf`. */
export function snapshotMemory(
  memory: Uint8Array,
  below: readonly Snapshot[],
  BufferOf: ArrayBufferConstructor | SharedArrayBufferConstructor = SharedArrayBuffer,
): Pick<Snapshot, 'memoryBytes' | 'runs' | 'contents'> {
  const source = asBuffer(memory);
  const runs: number[] = [];
  let runTo = 0;
  let pages = 0;
  for (const block of changedBlocks(source, below)) {
    for (const { from, to } of changedParts(source, block, PAGE_BYTES)) {
      if (from === runTo && pages > 0) runs.push((runs.pop() ?? 0) + 1);
      else runs.push(from / PAGE_BYTES, 1);
      runTo = to;
      pages++;
    }
  }
  const contents = new Uint8Array(new BufferOf(pages * PAGE_BYTES));
  let contentsAt = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const from = (runs[run] ?? 0) * PAGE_BYTES;
    const length = (runs[run + 1] ?? 0) * PAGE_BYTES;
    contents.set(source.subarray(from, from + length), contentsAt);
    contentsAt += length;
  }
  const runsInBuffer = new Uint32Array(new BufferOf(4 * runs.length));
  runsInBuffer.set(runs);
  return { memoryBytes: memory.length, runs: runsInBuffer, contents };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}
