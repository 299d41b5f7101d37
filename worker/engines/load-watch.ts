/**
 * Bounds the time that the engine may take to load a trace: so long for any trace, and more by its size. Some
 * traces of a few bytes keep the parser busy for ever. Where the system tells a thread's processor time, that is
 * what counts: a busy machine must not make a good trace fail.
 */
import { BigtraceError } from '../../lib/common/errors.ts';

export interface LoadBound {
  /** Time that every trace may take. */
  minMs: number;
  /** And a second more for so many bytes of trace. */
  bytesPerSecond: number;
}

/**
 * An idle core parses 12-18 MB/s of a Chrome or ftrace trace; the rate leaves room for slower formats. A compressed
 * trace counts by its compressed size, so an archive of 100 MB may unpack to some gigabytes.
 */
export const LOAD_BOUND_DEFAULT: LoadBound = { minMs: 30_000, bytesPerSecond: 2 ** 20 };

export function loadMsMax({ minMs, bytesPerSecond }: LoadBound, traceBytes: number): number {
  return minMs + Math.ceil((traceBytes * 1000) / bytesPerSecond);
}

/** The trace's own fault, not that of a query's time limit. */
export class LoadTooLong extends BigtraceError {
  readonly boundMs: number;
  readonly traceBytes: number;

  constructor(bound: LoadBound, traceBytes: number) {
    const boundMs = loadMsMax(bound, traceBytes);
    super(
      'deadline_exceeded',
      `TraceProcessor had not loaded this trace of ${traceBytes} bytes after ${boundMs} ms, the bound for its ` +
        `size (${bound.minMs} ms by --load-time, and 1 s for every ${bound.bytesPerSecond} bytes by --load-rate)`,
    );
    this.boundMs = boundMs;
    this.traceBytes = traceBytes;
  }
}

export interface LoadWatchOptions {
  bound: LoadBound;
  /** The trace's size, where it is known before all of it is read. */
  traceBytes: number | undefined;
  /** Processor time of the thread since the load began; undefined where the system does not tell. */
  cpuMs: () => Promise<number | undefined>;
  onOver: (error: LoadTooLong) => void;
}

export class LoadWatch {
  readonly #options: LoadWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #traceBytes: number;
  /** Time that the parser had work, and since when it has some now. */
  #busyMs = 0;
  #busyFrom: number | undefined;
  /** What the clock has counted and the processor has not. */
  #creditMs = 0;
  #over = false;

  constructor(options: LoadWatchOptions) {
    this.#options = options;
    this.#traceBytes = options.traceBytes ?? 0;
  }

  /** The parser has work; `bytesRead` is what was read of the trace so far. */
  busy(bytesRead: number): void {
    this.idle();
    this.#traceBytes = Math.max(this.#traceBytes, bytesRead);
    this.#busyFrom = performance.now();
    this.#arm();
  }

  /** The parser waits for bytes, or has ended. */
  idle(): void {
    clearTimeout(this.#timer);
    if (this.#busyFrom !== undefined) this.#busyMs += performance.now() - this.#busyFrom;
    this.#busyFrom = undefined;
  }

  #arm(): void {
    if (this.#over) return;
    const bound = loadMsMax(this.#options.bound, this.#traceBytes);
    const ms = Math.max(bound + this.#creditMs - this.#busyMs, 0);
    this.#timer = setTimeout(() => void this.#onTime(bound), ms);
  }

  async #onTime(bound: number): Promise<void> {
    const from = this.#busyFrom;
    const cpuMs = await this.#options.cpuMs();
    if (from === undefined || this.#busyFrom !== from) return; // it got on meanwhile, and the timer is set anew
    if (cpuMs === undefined || cpuMs >= bound) {
      this.#over = true;
      this.idle();
      this.#options.onOver(new LoadTooLong(this.#options.bound, this.#traceBytes));
      return;
    }
    this.idle();
    this.#creditMs = this.#busyMs - cpuMs;
    this.#busyFrom = performance.now();
    this.#arm();
  }
}
