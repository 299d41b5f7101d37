/** The errors of traces that need more memory than an engine may have: how much they need, and what allows it. */
import { BigtraceError } from '../../lib/common/errors.ts';
import { memoryBoundText, WASM32_BYTES_MAX, WASM64_BYTES_MAX } from '../../lib/engine/index.ts';

const MIB = 2 ** 20;

export interface MemoryBound {
  /** Maximum memory of the engine, in bytes. */
  memoryBytesMax: number;
  /** The version that TraceProcessor reports. */
  engineVersion: string;
}

/**
 * Adds to a memory limit error how much memory the whole trace needs, assuming that it grows in proportion to
 * the bytes parsed.
 */
export function withNeededMemory(
  thrown: unknown,
  bound: MemoryBound,
  { traceBytes, parsedBytes }: { traceBytes: number | undefined; parsedBytes: number },
): unknown {
  const { memoryBytesMax } = bound;
  if (!(thrown instanceof BigtraceError) || thrown.code !== 'limit_exceeded') return thrown;
  if (thrown.detail !== memoryBoundText(memoryBytesMax)) return thrown;
  if (traceBytes === undefined || parsedBytes <= 0 || parsedBytes >= traceBytes) return thrown;
  const neededBytes = Math.ceil((memoryBytesMax * traceBytes) / parsedBytes / MIB) * MIB;
  const detail =
    `${thrown.detail}: the first ${parsedBytes} of ${traceBytes} bytes of the trace needed it, ` +
    `all of it needs about ${neededBytes} bytes, ${remedyFor(neededBytes, bound)}`;
  return new BigtraceError(thrown.code, detail, { cause: thrown, neededBytes });
}

/** The error of a trace that is not read, because it needs more memory than the engine may have. */
export function needsMore(
  traceBytes: number,
  neededBytes: number,
  bound: MemoryBound,
): BigtraceError {
  return new BigtraceError(
    'limit_exceeded',
    `${memoryBoundText(bound.memoryBytesMax)}: a trace of ${traceBytes} bytes needs ${neededBytes} bytes or more, ` +
      remedyFor(neededBytes, bound),
    { neededBytes },
  );
}

function remedyFor(needed: number, { memoryBytesMax, engineVersion }: MemoryBound): string {
  if (needed > WASM64_BYTES_MAX)
    return `more than the ${WASM64_BYTES_MAX} bytes that an engine can have`;
  if (needed <= WASM32_BYTES_MAX || memoryBytesMax > WASM32_BYTES_MAX)
    return 'which --instance-memory-bytes of the workers must allow';
  const version = /v\d+\.\d+/.exec(engineVersion)?.[0] ?? 'VERSION';
  return (
    `more than the ${WASM32_BYTES_MAX} bytes of 32-bit memory: an engine with 64-bit memory (Node 24 or later; ` +
    `\`bigtrace engine add ${version}\`, docs/engines.md) can have them if --instance-memory-bytes of the workers allows it`
  );
}
