/**
 * The code of an engine thread: one TraceProcessor, whose calls all block. Executes the requests of the main
 * thread in order (thread-protocol.ts).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import {
  type Engine,
  loadEngine,
  possibleKinds,
  ReadAgain,
  readable,
  type Snapshot,
  SnapshotOfOtherEngine,
  SnapshotUnreadable,
  SnapshotUnusable,
  type SqlPackage,
  snapshotBytes,
  TraceProcessor,
  TraceReading,
  vocabularyOf,
} from '../../lib/engine/index.ts';
import { KindsCollector, ResultStream } from '../../lib/query-result/index.ts';
import { columnsFound } from '../tasks/columns.ts';
import { ownThreadNumber } from './thread-cpu.ts';
import {
  GATE,
  type QueryRequest,
  type ReadFacts,
  type Size,
  type ThreadData,
  type ThreadReply,
  type ThreadRequest,
  UNACKNOWLEDGED_BYTES_MAX,
} from './thread-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('worker/engines/thread.ts runs as a worker thread only');
const { engine, gate: sharedGate } = workerData as ThreadData;
const gate = new Int32Array(sharedGate);
Atomics.store(gate, GATE.THREAD, ownThreadNumber());

let processor = new TraceProcessor(engine);
Atomics.store(gate, GATE.INTERRUPT_ID, processor.interruptId);
/** The load in progress: the milliseconds that it took so far, and the reader of its bytes. */
let load: { ms: number; reading?: TraceReading } | undefined;
/** Snapshot from before the first script that mutates state; undefined if there was none. */
let pristine: Snapshot | undefined;
/** Key of the image that the engine's memory is a copy of, if it is one. */
let image = '';

function post(reply: ThreadReply, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(reply, transfer);
}

/** Sends the closing reply for an error. */
function postFailure(thrown: unknown): void {
  if (thrown instanceof ReadAgain) {
    post({ type: 'again', mode: thrown.mode, ...size() });
    return;
  }
  if (thrown instanceof SnapshotUnusable) {
    const isReadable = !(thrown instanceof SnapshotUnreadable);
    const otherEngine = thrown instanceof SnapshotOfOtherEngine;
    const { message: reason } = thrown;
    post({ type: 'unusable', reason, readable: isReadable, otherEngine, ...size() });
    return;
  }
  const { code, detail } = asBigtraceError(thrown);
  const poisoned = processor.poisoned !== undefined;
  post({ type: 'failed', code, detail, poisoned, ...size() });
}

/** Time in milliseconds for which `changedBytes` is not measured again. */
const MEASURED_MS = 1000;
/** A larger memory is not there twice for a moment, which making an image of it takes. */
const IMAGE_BYTES_MAX = 512 * 2 ** 20;

let changed = { bytes: 0, untilMs: 0 };

/** The part of the image that the engine has changed, as it was when it was last measured. */
function changedBytes(): number {
  if (performance.now() >= changed.untilMs)
    changed = { bytes: processor.changedBytes, untilMs: performance.now() + MEASURED_MS };
  return Math.min(changed.bytes, processor.imageBytes);
}

function size(): Size {
  const pristineBytes = pristine === undefined ? 0 : snapshotBytes(pristine);
  const ownBytes = processor.memoryBytes + pristineBytes + (load?.reading?.memoryBytes ?? 0);
  const { imageBytes: sharedBytes } = processor;
  if (sharedBytes === 0) return { memoryBytes: ownBytes };
  return { memoryBytes: ownBytes + changedBytes(), sharedBytes };
}

/** Makes an image of the loaded trace, so that other engines can have it in milliseconds. */
function shareIfWanted(key: string): void {
  if (Atomics.exchange(gate, GATE.WANTED, 0) === 0) return;
  if (processor.memoryBytes > IMAGE_BYTES_MAX) return;
  try {
    if (!processor.makeImage(key)) return;
    image = key;
    pristine = undefined;
  } catch (thrown) {
    if (processor.poisoned !== undefined) throw thrown; // otherwise the engine is as it was
  }
}

/** Whether a copy of the engine's memory may be kept: with 64-bit memory, if both are within the engine's bound. */
function hasRoomForCopy(): boolean {
  return !processor.is64 || 2 * processor.memoryBytes <= processor.memoryBytesMax;
}

/** Whether the main thread has abandoned the running call. */
function isAbandoned(): boolean {
  return Atomics.load(gate, GATE.DISCARD) === 1;
}

/** Runs one step of the current load. A step that fails ends the load, and later steps are ignored. */
function loadStep(step: () => void): void {
  if (load === undefined || isAbandoned()) return;
  const from = performance.now();
  try {
    step();
    load.ms += performance.now() - from;
  } catch (thrown) {
    load = undefined;
    postFailure(thrown);
  }
}

/** Brings the engine, or an engine with 64-bit memory in its place, into its initial state. */
function begin(wide: Engine | undefined): void {
  if (wide === undefined && !processor.is64) processor.reset();
  else {
    processor = new TraceProcessor(wide ?? engine, { memoryBytesMax: processor.memoryBytesMax });
    Atomics.store(gate, GATE.INTERRUPT_ID, processor.interruptId);
  }
}

/** Begins a load; `prepare` brings the engine into its initial state. */
function open(memoryBytesMax: number, prepare: () => void): void {
  load = { ms: 0 };
  pristine = undefined;
  changed.untilMs = 0;
  Atomics.store(gate, GATE.WANTED, 0);
  processor.memoryBytesMax = memoryBytesMax;
  loadStep(prepare);
}

function openTrace({
  memoryBytesMax,
  reading,
  wide,
}: Extract<ThreadRequest, { type: 'open' }>): void {
  open(memoryBytesMax, () => {
    begin(wide);
    processor.memoryBytesMax = memoryBytesMax;
    if (load !== undefined) load.reading = new TraceReading(wide ?? engine, reading, processor);
  });
}

function restore({
  image: key,
  file: from,
  memoryBytesMax,
  wide,
}: Extract<ThreadRequest, { type: 'restore' }>): void {
  open(memoryBytesMax, () => {
    if (wide !== undefined || processor.is64) begin(wide);
    processor.memoryBytesMax = memoryBytesMax;
    image = key;
    if (processor.restoreImage(key)) return;
    if (from === undefined) throw new SnapshotUnreadable('no engine holds the trace any more');
    const file = readable(() => openSync(from.path, 'r'));
    try {
      if (from.uncompressed) return processor.restoreUncompressed(file, key);
      processor.restoreShared((into) => {
        if (isAbandoned()) throw new BigtraceError('cancelled', 'the load was dropped');
        return readable(() => readSync(file, into));
      }, key);
    } finally {
      closeSync(file);
    }
  });
  postLoaded();
}

function append(bytes: Uint8Array): void {
  loadStep(() => load?.reading?.push(bytes));
  if (load === undefined || isAbandoned()) return;
  post({ type: 'appended', byteLength: bytes.byteLength, ...size() });
}

function finalize(): void {
  loadStep(() => load?.reading?.end());
  postLoaded();
}

function postLoaded(): void {
  if (load === undefined || isAbandoned()) return;
  const { ms: loadMs, reading } = load;
  const read = reading === undefined ? {} : { read: readFacts(reading) };
  post({ type: 'loaded', loadMs, ...read, ...size() });
  load = undefined;
}

function readFacts({ findings }: TraceReading): ReadFacts {
  const { zstdPackets, unpackedBytes } = findings;
  return { zstdPackets, unpackedBytes, warnings: findings.warnings().size };
}

function drop(): void {
  if (load === undefined) return;
  load = undefined;
  postFailure(new BigtraceError('cancelled', 'the load was dropped'));
}

function query(request: QueryRequest): void {
  const { sql, isSummary, mutatesState, wantsKinds, memoryBytesMax } = request;
  const from = performance.now();
  let waitedMs = 0;
  const collector = wantsKinds ? new KindsCollector() : undefined;
  const stream = collector?.stream ?? new ResultStream();
  let broken: { thrown: unknown } | undefined;
  try {
    processor.memoryBytesMax = memoryBytesMax;
    shareIfWanted(request.image);
    if (mutatesState && processor.imageBytes === 0 && hasRoomForCopy())
      pristine ??= processor.snapshot();
    processor[isSummary ? 'summarize' : 'query'](sql, (view) => {
      if (broken !== undefined || isAbandoned()) return;
      const bytes = new Uint8Array(view); // a copy with its own buffer, which can be transferred
      try {
        if (collector === undefined) stream.next(bytes);
        else collector.add(bytes);
      } catch (thrown) {
        broken = { thrown }; // an exception that passes through the engine would poison it
        return;
      }
      const { rows, complete } = stream;
      Atomics.add(gate, GATE.UNACKNOWLEDGED, bytes.byteLength);
      post({ type: 'result', bytes, rows, last: complete }, [bytes.buffer]);
      waitedMs += waitAtGate();
    });
    if (broken !== undefined) throw broken.thrown;
    if (!isAbandoned()) stream.end();
    post({
      type: 'answered',
      rows: stream.rows,
      ...(collector === undefined ? {} : { columns: columnsFound(collector) }),
      queryMs: performance.now() - from - waitedMs,
      ...size(),
    });
  } catch (thrown) {
    postFailure(thrown);
  }
}

/** Waits while more than UNACKNOWLEDGED_BYTES_MAX bytes of results were not passed on. @returns for how many ms */
function waitAtGate(): number {
  let from: number | undefined;
  for (;;) {
    const unacknowledged = Atomics.load(gate, GATE.UNACKNOWLEDGED);
    if (unacknowledged <= UNACKNOWLEDGED_BYTES_MAX || isAbandoned())
      return from === undefined ? 0 : performance.now() - from;
    from ??= performance.now();
    Atomics.wait(gate, GATE.UNACKNOWLEDGED, unacknowledged);
  }
}

function rollback(): void {
  try {
    const isImage = processor.imageBytes > 0 && processor.restoreImage(image);
    if (!isImage && pristine === undefined) throw new Error('no state was kept');
    if (!isImage && pristine !== undefined) processor.restore(pristine);
    changed.untilMs = 0;
    post({ type: 'rolledBack', ...size() });
  } catch (thrown) {
    postFailure(thrown);
  }
}

function snapshot(): void {
  try {
    if (!hasRoomForCopy())
      throw new BigtraceError('limit_exceeded', 'the engine may not have the memory for a copy');
    const snapshot = pristine ?? processor.snapshot(ArrayBuffer);
    const { buffer } = snapshot.contents;
    const transfer = buffer instanceof ArrayBuffer ? [buffer] : [];
    post({ type: 'snapshot', snapshot, ...size() }, transfer);
  } catch (thrown) {
    postFailure(thrown);
  }
}

function inferKinds(sql: Uint8Array, memoryBytesMax: number): void {
  try {
    processor.memoryBytesMax = memoryBytesMax;
    processor.finalize();
    post({
      type: 'possibleKinds',
      kinds: possibleKinds(processor, sql),
      ...size(),
    });
  } catch (thrown) {
    postFailure(thrown);
  }
}

async function loadOther(file: string, packages: readonly SqlPackage[]): Promise<void> {
  try {
    const other = await loadEngine(file, packages);
    post({ type: 'engineLoaded', engine: other, ...size() });
  } catch (thrown) {
    postFailure(thrown);
  }
}

function listVocabulary(): void {
  try {
    const modules = vocabularyOf(processor, engine);
    post({ type: 'vocabulary', modules, ...size() });
  } catch (thrown) {
    postFailure(thrown);
  }
}

const execute = (request: ThreadRequest) => {
  switch (request.type) {
    case 'open':
      return openTrace(request);
    case 'append':
      return append(request.bytes);
    case 'finalize':
      return finalize();
    case 'drop':
      return drop();
    case 'restore':
      return restore(request);
    case 'query':
      return query(request);
    case 'rollback':
      return rollback();
    case 'snapshot':
      return snapshot();
    case 'possibleKinds':
      return inferKinds(request.sql, request.memoryBytesMax);
    case 'vocabulary':
      return listVocabulary();
    case 'loadEngine':
      return void loadOther(request.file, request.packages);
  }
};

port.on('message', (requests: ThreadRequest[]) => {
  for (const request of requests) execute(request);
});
