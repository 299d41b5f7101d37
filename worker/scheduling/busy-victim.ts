/** Chooses the busy engine that is ended when the engines together exceed the memory of the worker. */

/** Memory of an engine thread outside its engine, in bytes: an isolate and compiled code. */
const ISOLATE_BYTES = 16 * 2 ** 20;
/** An engine is small if it has grown by no more than this since it started, in bytes. */
const SMALL_GROWTH_BYTES = 32 * 2 ** 20;
/** Busy small engines may exceed the memory limit by this part of it, and one of them always. */
const SPARED_PART = 1 / 16;
/** WebAssembly memory never shrinks: an engine with more memory is not given another trace. */
export const REUSED_BYTES_MAX = 256 * 2 ** 20;

interface Memory {
  memoryBytes: number;
}

interface Busy {
  engine: Memory;
  /** Whether its holder has reserved memory. */
  reserved: boolean;
}

interface PoolMemory {
  /** Memory of a fresh engine. */
  initialBytes: number;
  memoryBytesMax: number;
  threads: number;
}

/** Returns the memory of an engine's thread. */
export function threadBytes({ memoryBytes }: Memory, { initialBytes }: PoolMemory): number {
  return ISOLATE_BYTES + Math.max(memoryBytes, initialBytes);
}

/** Returns the memory of all threads; what engines with the same trace share is counted once. */
export function threadsBytes(
  entries: Iterable<{ engine: Memory & { sharedBytes: number }; key: string | undefined }>,
  memory: PoolMemory,
): number {
  const shared = new Set<string>();
  let bytes = 0;
  for (const { engine, key } of entries) {
    bytes += threadBytes(engine, memory);
    if (key === undefined || engine.sharedBytes === 0) continue;
    if (shared.has(key)) bytes -= engine.sharedBytes;
    shared.add(key);
  }
  return bytes;
}

/** Whether an engine that exists may be given another trace. */
export function isReusable({ memoryBytes }: Memory): boolean {
  return memoryBytes <= REUSED_BYTES_MAX;
}

/** Whether an engine has more than a thread's share of the memory. */
export function isLarge({ memoryBytes }: Memory, { memoryBytesMax, threads }: PoolMemory): boolean {
  return memoryBytes > memoryBytesMax / threads;
}

/**
 * Returns a busy engine if more than `threads` are busy, or one of several has more than its share of the memory: the
 * last one without a reservation, with more than its share if possible.
 * @param all busy engines, in the order in which they were leased
 * @param bytes memory of all engines, which exceeds the limit
 */
export function busyVictim<Entry extends Busy>(
  all: readonly Entry[],
  bytes: number,
  memory: PoolMemory,
): Entry | undefined {
  const large = ({ engine }: Entry): boolean => isLarge(engine, memory);
  if (all.length <= memory.threads && !all.some(large)) return undefined;
  const spared = sparedOf(all, memory);
  const busy = all.filter((entry) => !spared.entries.has(entry));
  if (busy.length <= 1 || bytes - spared.bytes <= memory.memoryBytesMax) return undefined;
  const ordinary = busy.filter(({ reserved }) => !reserved);
  return ordinary.filter(large).at(-1) ?? ordinary.at(-1) ?? busy.at(-1);
}

/**
 * Returns the small engines that are not ended for the memory of others: it would free little, and their tasks would
 * have to wait for that of a large trace.
 */
function sparedOf<Entry extends Busy>(
  busy: readonly Entry[],
  memory: PoolMemory,
): { entries: ReadonlySet<Entry>; bytes: number } {
  const entries = new Set<Entry>();
  let bytes = 0;
  for (const entry of busy) {
    const { engine } = entry;
    const grown = engine.memoryBytes - memory.initialBytes;
    if (isLarge(engine, memory) || grown > SMALL_GROWTH_BYTES) continue;
    const own = threadBytes(engine, memory);
    if (entries.size > 0 && bytes + own > memory.memoryBytesMax * SPARED_PART) continue;
    entries.add(entry);
    bytes += own;
  }
  return { entries, bytes };
}
