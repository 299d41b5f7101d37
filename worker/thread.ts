/**
 * The thread of a slot: one TraceProcessor, whose every call blocks. Does what the main thread asks, in
 * order (thread-protocol.ts).
 */
import { parentPort, workerData } from 'node:worker_threads';
import { bytesFromText } from '../common/byte-text.ts';
import { asBigtraceError, BigtraceError } from '../common/errors.ts';
import { KindsCollector } from '../query-result/index.ts';
import { TraceProcessor } from '../trace-processor/index.ts';
import {
  GATE,
  HELD_BYTES_MAX,
  type ThreadData,
  type ThreadReply,
  type ThreadRequest,
} from './thread-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('worker/thread.ts runs as a worker thread only');
const { engine, gate: sharedGate } = workerData as ThreadData;
const gate = new Int32Array(sharedGate);

let processor: TraceProcessor | undefined;
/** The load that is not closed yet: the time it took so far. */
let load: { ms: number } | undefined;

function say(reply: ThreadReply, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(reply, transfer);
}

function sayFailed(thrown: unknown): void {
  const { code, detail } = asBigtraceError(thrown);
  say({ say: 'failed', code, detail, poisoned: processor?.poisoned !== undefined });
}

function unwanted(): boolean {
  return Atomics.load(gate, GATE.DISCARD) === 1;
}

function loaded(): TraceProcessor {
  if (processor === undefined) throw new Error('no trace was opened');
  return processor;
}

/** Runs one step of the open load; the first that fails closes it, and those that follow are dropped. */
function loadStep(step: () => void): void {
  if (load === undefined || unwanted()) return;
  const from = performance.now();
  try {
    step();
    load.ms += performance.now() - from;
  } catch (thrown) {
    load = undefined;
    sayFailed(thrown);
  }
}

function open(memoryBytesMax: number): void {
  load = { ms: 0 };
  loadStep(() => {
    processor = undefined; // lets go of the old memory before there is a new one
    processor = new TraceProcessor(engine, { memoryBytesMax });
  });
}

function append(bytes: Uint8Array): void {
  loadStep(() => loaded().append(bytes));
  if (load !== undefined) say({ say: 'appended', byteLength: bytes.byteLength });
}

function finalize(): void {
  loadStep(() => loaded().finalize());
  if (load === undefined || unwanted()) return;
  say({ say: 'loaded', loadMs: load.ms, memoryBytes: loaded().memoryBytes });
  load = undefined;
}

function drop(): void {
  if (load === undefined) return;
  load = undefined;
  sayFailed(new BigtraceError('cancelled', 'the load was dropped'));
}

function query(sql: Uint8Array, memoryBytesMax: number): void {
  const instance = loaded();
  const from = performance.now();
  const collector = new KindsCollector();
  let broken: { thrown: unknown } | undefined;
  instance.memoryBytesMax = memoryBytesMax;
  try {
    instance.query(sql, (view) => {
      if (broken !== undefined || unwanted()) return;
      const bytes = view.slice();
      try {
        collector.add(bytes);
      } catch (thrown) {
        broken = { thrown }; // throwing through the engine would cost the instance
        return;
      }
      const { rows, complete } = collector.stream;
      Atomics.add(gate, GATE.HELD, bytes.byteLength);
      say({ say: 'result', bytes, rows, last: complete }, [bytes.buffer]);
      waitAtGate();
    });
    if (broken !== undefined) throw broken.thrown;
    if (!unwanted()) collector.stream.end();
    say({
      say: 'answered',
      rows: collector.stream.rows,
      columns: collector.columns().map(({ name, kinds }) => ({ name: bytesFromText(name), kinds })),
      queryMs: performance.now() - from,
      memoryBytes: instance.memoryBytes,
    });
  } catch (thrown) {
    sayFailed(thrown);
  }
}

/** Sleeps while too much of what was sent has not been passed on. */
function waitAtGate(): void {
  for (;;) {
    const held = Atomics.load(gate, GATE.HELD);
    if (held <= HELD_BYTES_MAX || unwanted()) return;
    Atomics.wait(gate, GATE.HELD, held);
  }
}

port.on('message', (request: ThreadRequest) => {
  switch (request.ask) {
    case 'open':
      return open(request.memoryBytesMax);
    case 'append':
      return append(request.bytes);
    case 'finalize':
      return finalize();
    case 'drop':
      return drop();
    case 'query':
      return query(request.sql, request.memoryBytesMax);
  }
});
