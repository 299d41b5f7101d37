/**
 * Loads a trace into a leased engine within the limits, and bars the trace if another load would fail in the
 * same way.
 */
import { BigtraceError } from '../../lib/common/errors.ts';
import {
  type Engine,
  memoryBoundText,
  type ReadingMode,
  WASM32_BYTES_MAX,
} from '../../lib/engine/index.ts';
import type { TaskPhase } from '../../lib/proto/messages.ts';
import type { TraceStat } from '../../lib/trace-store/index.ts';
import { checkTraceBytes, type TaskLimits } from '../tasks/limits.ts';
import type { TaskExecutorParts } from '../tasks/task-request.ts';
import type { Bar } from './barred-traces.ts';
import type { LoadedFrom } from './engine-pool.ts';
import type { LeasedEngine } from './engine-thread.ts';
import { LoadTooLong } from './load-watch.ts';

export interface LoadRequest {
  /** Key of the trace, its generation and the engine version. */
  key: string;
  trace: string;
  stat: TraceStat;
  chunks: AsyncIterable<Uint8Array>;
  mode: ReadingMode;
  /** The engine with 64-bit memory, if the trace is loaded into it. */
  wide: Engine | undefined;
  limits: TaskLimits;
  onPhase: (phase: TaskPhase) => void;
  signal: AbortSignal;
}

/**
 * @throws the errors of EngineThread.load; ReadAgain if the trace must be loaded again from its first byte,
 * in another mode
 */
export async function loadTrace(
  parts: TaskExecutorParts,
  engine: LeasedEngine,
  request: LoadRequest,
): Promise<LoadedFrom> {
  const { key, stat, limits, mode, wide, onPhase, signal } = request;
  const source = new BoundedSource(request.chunks, limits);
  try {
    const { loadBound } = parts;
    const reading = { mode, unpackedBytesMax: limits.traceBytesMax };
    const options = {
      ...{ memoryBytesMax: boundOf(request), loadBound, reading, onPhase },
      engineVersion: parts.engineVersion,
      ...(wide === undefined ? {} : { wide }),
    };
    const loaded = await engine.load(key, source, { ...options, traceBytes: stat.size }, signal);
    const { read, ...from } = loaded;
    parts.counters.add('parse_ms', from.loadMs);
    parts.counters.add('trace_bytes', from.traceBytes);
    parts.counters.add('zstd_packets', read?.zstdPackets ?? 0);
    parts.counters.add('unpacked_bytes', read?.unpackedBytes ?? 0);
    parts.counters.add('load_warnings', read?.warnings ?? 0);
    return { ...from, tier: 'parse' };
  } catch (thrown) {
    const isTraceFault = thrown instanceof BigtraceError && !source.failed && !signal.aborted;
    const bounds = isTraceFault ? exceededLimits(parts, engine, request, thrown) : undefined;
    if (isTraceFault && bounds !== undefined) {
      const { code, detail, neededBytes } = thrown;
      const { generation } = stat;
      const bar = {
        trace: request.trace,
        generation,
        code,
        detail,
        neededBytes,
        barredMs: Date.now(),
      };
      throw parts.barred.bar(key, { ...bar, ...bounds });
    }
    throw thrown;
  }
}

/** Returns the bound of the engine's memory: 32-bit memory ends at 4 GiB. */
function boundOf({ wide, limits }: LoadRequest): number {
  return wide === undefined
    ? Math.min(limits.memoryBytesMax, WASM32_BYTES_MAX)
    : limits.memoryBytesMax;
}

/** Whether an engine ran into the end of 32-bit memory, while the limits allow more. */
export function needsWideEngine(thrown: unknown, { memoryBytesMax }: TaskLimits): boolean {
  return (
    thrown instanceof BigtraceError &&
    thrown.code === 'limit_exceeded' &&
    memoryBytesMax > WASM32_BYTES_MAX &&
    thrown.detail.startsWith(memoryBoundText(WASM32_BYTES_MAX))
  );
}

/** Returns the limits that the bar records; undefined if another load may succeed. */
function exceededLimits(
  { limits: own, wide }: TaskExecutorParts,
  engine: LeasedEngine,
  request: LoadRequest,
  error: BigtraceError,
): Pick<Bar, 'memoryBytes' | 'load'> | undefined {
  if (error instanceof LoadTooLong)
    return { load: { traceBytes: error.traceBytes, ms: error.boundMs } };
  if (error.code === 'trace_invalid') return {};
  // A trap of the engine would happen again; a thread that ended may have another cause.
  if (error.code === 'engine_crashed') return engine.state.is === 'gone' ? undefined : {};
  const { memoryBytesMax } = request.limits; // a query may request a lower limit than the worker's
  const isMemory =
    error.code === 'limit_exceeded' && error.detail.startsWith(memoryBoundText(boundOf(request)));
  if (wide !== undefined && request.wide === undefined && needsWideEngine(error, request.limits))
    return undefined; // the engine with 64-bit memory has yet to try
  if (isMemory && memoryBytesMax === own.memoryBytesMax) return { memoryBytes: memoryBytesMax };
  return undefined;
}

/** Checks the size limit while a trace is read, because its store may not know the size in advance. */
class BoundedSource implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterable<Uint8Array>;
  readonly #limits: TaskLimits;
  /** Whether an error came from the source, and not from the engine. */
  failed = false;

  constructor(chunks: AsyncIterable<Uint8Array>, limits: TaskLimits) {
    this.#chunks = chunks;
    this.#limits = limits;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    let bytes = 0;
    try {
      for await (const chunk of this.#chunks) {
        bytes += chunk.byteLength;
        checkTraceBytes(bytes, this.#limits);
        yield chunk;
      }
    } catch (thrown) {
      this.failed = true;
      throw thrown;
    }
  }
}
