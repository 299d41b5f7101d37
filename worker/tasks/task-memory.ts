/** The memory that one task reserves for a large trace before it loads or queries it. */
import { WASM32_BYTES_MAX } from '../../lib/engine/index.ts';
import { expectedBytes, mostBytes } from '../engines/expected-memory.ts';
import { needsMore } from '../engines/needed-memory.ts';
import type { TaskPermits } from '../scheduling/admission.ts';
import { REUSED_BYTES_MAX } from '../scheduling/busy-victim.ts';
import type { MemoryPermit } from '../scheduling/memory-permits.ts';
import type { CacheKeys, TaskExecutorParts } from './task-request.ts';

/** How often a task is repeated after its engine was ended because other tasks needed the memory. */
const ENDED_MAX = 3;

export class TaskMemory {
  readonly #parts: TaskExecutorParts;
  readonly #key: string;
  readonly #permits: TaskPermits;
  /** Maximum memory of the task's engine. */
  readonly #bytesMax: number;
  readonly #alone: boolean;
  #permit: MemoryPermit | undefined;
  /** What the task's earlier attempts showed that it needs, in bytes. */
  #knownBytes = 0;
  #ended = 0;

  constructor(
    parts: TaskExecutorParts,
    { key }: CacheKeys,
    permits: TaskPermits,
    { bytesMax, alone }: { bytesMax: number; alone: boolean },
  ) {
    this.#parts = parts;
    this.#key = key;
    this.#permits = permits;
    this.#bytesMax = bytesMax;
    this.#alone = alone;
  }

  /** Whether the beginning of a trace of this size matters for what it needs. */
  dependsOnHead(traceBytes: number | undefined): boolean {
    if (traceBytes === undefined || this.#seenBytes !== undefined) return false;
    return mostBytes(traceBytes) > this.#parts.admission.memory.shareBytes;
  }

  get #seenBytes(): number | undefined {
    return this.#parts.expectedMemory.of(this.#key);
  }

  /**
   * Estimates what the trace needs, in bytes.
   * @throws limit_exceeded if the task's engine cannot have it
   */
  expected(traceBytes: number | undefined, head: Uint8Array | undefined): number {
    const seen = this.#seenBytes;
    if (seen !== undefined) return Math.max(seen, this.#knownBytes);
    if (traceBytes === undefined) return this.#knownBytes;
    const { leastBytes, bytes } = expectedBytes(traceBytes, head);
    const { engineVersion } = this.#parts;
    if (leastBytes > this.#bytesMax)
      throw needsMore(traceBytes, leastBytes, { memoryBytesMax: this.#bytesMax, engineVersion });
    return Math.max(this.#knownBytes, Math.min(bytes, this.#bytesMax));
  }

  /** Returns what to reserve for a trace that is expected to need `bytes`: everything, after a worker was lost with it. */
  toReserve(bytes: number, traceBytes: number | undefined): number {
    const { shareBytes, totalBytes } = this.#parts.admission.memory;
    const mayBeLarge = traceBytes !== undefined && mostBytes(traceBytes) > shareBytes;
    return this.#alone && mayBeLarge ? Math.max(bytes, totalBytes) : bytes;
  }

  /**
   * Records the memory of the engine that holds the trace. Between a share and REUSED_BYTES_MAX, the engine may owe it
   * to an earlier trace.
   */
  learn(traceBytes: number | undefined, engineBytes: number): void {
    const { shareBytes } = this.#parts.admission.memory;
    if (
      traceBytes !== undefined &&
      mostBytes(traceBytes) <= shareBytes &&
      engineBytes <= shareBytes
    )
      return;
    if (engineBytes <= shareBytes || engineBytes > REUSED_BYTES_MAX)
      this.#parts.expectedMemory.saw(this.#key, engineBytes);
  }

  /** Records what an attempt showed that the trace needs. */
  needs(bytes: number): void {
    this.#knownBytes = Math.max(this.#knownBytes, bytes);
  }

  /**
   * Records that the task's engine was ended, with this memory, because others needed the memory.
   * @returns whether the task should be repeated, with memory reserved
   */
  endedAt(bytes: number): boolean {
    this.needs(Math.max(2 * bytes, this.#parts.admission.memory.shareBytes + 1));
    return ++this.#ended <= ENDED_MAX;
  }

  /** Whether memory must be reserved, or more than is, before an engine is used for the trace. */
  lacks(bytes: number): boolean {
    const { shareBytes, totalBytes } = this.#parts.admission.memory;
    return bytes > shareBytes && Math.min(bytes, totalBytes) > (this.#permit?.bytes ?? 0);
  }

  /** Waits for the memory, which the task must do without any other permit. @throws the signal's reason */
  async reserve(bytes: number): Promise<void> {
    this.release();
    const { totalBytes } = this.#parts.admission.memory;
    this.#permit = await this.#permits.memory(Math.min(bytes, totalBytes));
  }

  get reserved(): boolean {
    return this.#permit !== undefined;
  }

  /** Lets the reservation grow with the memory of the engine that is used under it. */
  measure(usedBytes: () => number): void {
    this.#permit?.measure(usedBytes);
  }

  release(): void {
    this.#permit?.release();
    this.#permit = undefined;
  }
}

/** Whether a trace that needs so much must be loaded into 64-bit memory. */
export function exceeds32Bits(bytes: number): boolean {
  return bytes > WASM32_BYTES_MAX;
}
