/**
 * Images of an instance's memory: the pages that differ from what lies below, in runs. The initial image
 * of an engine (right after it started) lies over zeros, that of a loaded trace over the initial one.
 * Most of a small trace's memory is the initial image, so its own is small.
 */

/** The grain of images. */
export const PAGE_BYTES = 4096;
/** Memory is compared and copied in blocks of so many bytes. */
const BLOCK_BYTES = 2 ** 16;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** What an image says of itself. */
export interface SnapshotHead {
  /** `Engine.identity` of the engine it is of. */
  engine: string;
  /** Size of the whole memory. */
  memoryBytes: number;
  /** Pairs of first page and number of pages; ascending, apart from each other. */
  runs: Uint32Array;
}

/** Plain data over SharedArrayBuffers: posted to another thread, it is not copied. Not to be written to. */
export interface Snapshot extends SnapshotHead {
  /** The pages of all runs, one after another. */
  contents: Uint8Array;
}

/** What an image costs to keep in memory. */
export function snapshotBytes(image: Snapshot): number {
  return image.runs.byteLength + image.contents.byteLength;
}

/** A stretch of memory and where its bytes are; without `contents` they are zero. */
interface Segment {
  from: number;
  to: number;
  contents: Buffer | undefined;
  contentsAt: number;
}

/** An image over the layer below it. Walks once, upwards. */
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

function layersOf(images: readonly Snapshot[]): Layer | undefined {
  let layer: Layer | undefined;
  for (const image of images) layer = new Layer(image, layer);
  return layer;
}

/** The blocks of `memory` whose bytes are not those of the images (lowest first). */
function* changedBlocks(memory: Buffer, images: readonly Snapshot[]): Generator<Segment> {
  const layers = layersOf(images);
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
 * Makes `memory` what the images say, exactly. Writes only what differs, and reads nothing from `zeroFrom`
 * on, where all is zero: memory that has just been taken costs time when it is touched first.
 */
export function restoreMemory(
  memory: Uint8Array,
  images: readonly Snapshot[],
  zeroFrom = memory.length,
): void {
  const target = asBuffer(memory);
  const whole = { from: 0, to: memory.length, contents: undefined, contentsAt: 0 };
  for (const segment of layersOf(images)?.segments(0, memory.length) ?? [whole])
    restoreSegment(target, segment, zeroFrom);
}

/**
 * Makes `memory` what an image over `below` says; the image's contents come in blocks.
 * Where `blocks` throws, `memory` is neither what it was nor what it was to be.
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
  let run = 0;
  /** Bytes of the run that are written. */
  let done = 0;
  for (const block of blocks) {
    for (let at = 0; at < block.length; ) {
      const from = (runs[run] ?? 0) * PAGE_BYTES + done;
      const left = (runs[run + 1] ?? 0) * PAGE_BYTES - done;
      const piece = block.subarray(at, at + left);
      target.set(piece, from);
      at += piece.length;
      done += piece.length;
      if (piece.length < left) continue;
      run += 2;
      done = 0;
    }
  }
}

/** What lies between the runs of an image, before and behind them. */
function* gapsOf(runs: Uint32Array, bytes: number): Generator<[from: number, to: number]> {
  let at = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const from = (runs[run] ?? 0) * PAGE_BYTES;
    if (from > at) yield [at, from];
    at = from + (runs[run + 1] ?? 0) * PAGE_BYTES;
  }
  if (at < bytes) yield [at, bytes];
}

/** Whether runs are in order, and within so many bytes. */
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

/** What has to be laid over `below` to give `memory`. */
export function snapshotMemory(
  memory: Uint8Array,
  below: readonly Snapshot[],
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
  const contents = new Uint8Array(new SharedArrayBuffer(pages * PAGE_BYTES));
  let contentsAt = 0;
  for (let run = 0; run < runs.length; run += 2) {
    const from = (runs[run] ?? 0) * PAGE_BYTES;
    const length = (runs[run + 1] ?? 0) * PAGE_BYTES;
    contents.set(source.subarray(from, from + length), contentsAt);
    contentsAt += length;
  }
  const sharedRuns = new Uint32Array(new SharedArrayBuffer(4 * runs.length));
  sharedRuns.set(runs);
  return { memoryBytes: memory.length, runs: sharedRuns, contents };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}
