/**
 * Reserves memory for tasks whose trace needs more than a thread's share of the worker's memory. Smaller traces reserve
 * nothing: all threads together stay within the memory. A task that waits for memory holds no other permit.
 */
import { Permits } from './permits.ts';
import type { Turn } from './turns.ts';

export interface MemoryPermit {
  readonly bytes: number;
  /** Sets the function that returns the bytes in use under this permit. They count if they are more than reserved. */
  measure(usedBytes: () => number): void;
  /** Returns the permit; further calls do nothing. */
  release(): void;
}

interface Holder {
  bytes: number;
  usedBytes: () => number;
}

export class MemoryPermits {
  readonly totalBytes: number;
  /** A trace that needs more reserves memory. */
  readonly shareBytes: number;
  readonly #holders = new Set<Holder>();
  /** Shares the first place in the queue between users: whoever has it is served next, so that a large need is met. */
  readonly #front = new Permits(1);
  /** Wakes the task that is first in the queue. */
  #wake: () => void = () => {};

  constructor(totalBytes: number, threads: number) {
    this.totalBytes = totalBytes;
    this.shareBytes = Math.floor(totalBytes / threads);
  }

  /** Bytes that are reserved, or in use beyond that. */
  get takenBytes(): number {
    let taken = 0;
    for (const { bytes, usedBytes } of this.#holders) taken += Math.max(bytes, usedBytes());
    return taken;
  }

  get waiting(): number {
    return this.#front.waiting + this.#front.taken;
  }

  /** Waits for memory. More than the whole memory is granted when no other task holds any. @throws the signal's reason */
  async acquire(bytes: number, turn: Turn, signal: AbortSignal): Promise<MemoryPermit> {
    const front = await this.#front.acquire(turn, signal);
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted && !this.#fits(bytes)) await this.#changed();
      signal.throwIfAborted();
      return this.#take(bytes);
    } finally {
      signal.removeEventListener('abort', wake);
      front.release();
    }
  }

  /** Reserves memory if it is free and no task waits for any. */
  takeFree(bytes: number): MemoryPermit | undefined {
    return this.waiting === 0 && this.#fits(bytes) ? this.#take(bytes) : undefined;
  }

  #fits(bytes: number): boolean {
    return this.#holders.size === 0 || this.takenBytes + bytes <= this.totalBytes;
  }

  #take(bytes: number): MemoryPermit {
    const holder: Holder = { bytes, usedBytes: () => 0 };
    this.#holders.add(holder);
    return {
      bytes,
      measure: (usedBytes) => {
        holder.usedBytes = usedBytes;
      },
      release: () => {
        if (this.#holders.delete(holder)) this.#wake();
      },
    };
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
