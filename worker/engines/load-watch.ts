/**
 * Limits the time that the engine takes to load a trace: a fixed time, and more by the trace's size. Some
 * traces of a few bytes keep the parser busy forever. If the system reports the thread's processor time, that
 * counts instead of elapsed time, so that a good trace does not fail on a busy machine.
 */
import { BigtraceError } from '../../lib/common/errors.ts';

export interface LoadBound {
  /** Time that every trace may take, in milliseconds. */
  minMs: number;
  /** Each of these many bytes adds one second. */
  bytesPerSecond: number;
}

/**
 * An idle core parses 12-18 MB/s of a Chrome or ftrace trace; the default rate leaves room for slower formats. A
 * compressed trace counts by its compressed size, so an archive of 100 MB may unpack to some gigabytes.
 */
export const LOAD_BOUND_DEFAULT: LoadBound = { minMs: 30_000, bytesPerSecond: 2 ** 20 };

/** The maximum time for loading a trace of this size, in milliseconds. */
export function loadMsMax({ minMs, bytesPerSecond }: LoadBound, traceBytes: number): number {
  return minMs + Math.ceil((traceBytes * 1000) / bytesPerSecond);
}

/** The load exceeded its time limit. Unlike a task's time limit, this bars the trace. */
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
  /** Size of the trace in bytes, if it is known before all of it is read. */
  traceBytes: number | undefined;
  /**
   * Returns the thread's processor time in milliseconds since the load began; undefined if the system does
   * not report it.
   */
  cpuMs: () => number | undefined;
  /** Called once when the load exceeds its limit. */
  onOver: (error: LoadTooLong) => void;
}

/** Measures one load; `busy` and `idle` start and stop its clock. */
export class LoadWatch {
  readonly #options: LoadWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Size of the trace in bytes, as far as known. */
  #traceBytes: number;
  /** Milliseconds in which the parser had work, without the current period. */
  #busyMs = 0;
  /** When the current period began (performance.now()); undefined while the parser waits. */
  #busyFrom: number | undefined;
  /** Busy milliseconds in which the thread did not get the processor. */
  #creditMs = 0;
  #over = false;

  constructor(options: LoadWatchOptions) {
    this.#options = options;
    this.#traceBytes = options.traceBytes ?? 0;
  }

  /** The parser has work; `bytesRead` is the number of bytes read so far. */
  busy(bytesRead: number): void {
    this.idle();
    this.#traceBytes = Math.max(this.#traceBytes, bytesRead);
    this.#busyFrom = performance.now();
    this.#arm();
  }

  /** The parser waits for bytes, or the load has ended. */
  idle(): void {
    clearTimeout(this.#timer);
    if (this.#busyFrom !== undefined) this.#busyMs += performance.now() - this.#busyFrom;
    this.#busyFrom = undefined;
  }

  #arm(): void {
    if (this.#over) return;
    const bound = loadMsMax(this.#options.bound, this.#traceBytes);
    const ms = Math.max(bound + this.#creditMs - this.#busyMs, 0);
    this.#timer = setTimeout(() => this.#onTime(bound), ms);
  }

  #onTime(bound: number): void {
    const cpuMs = this.#options.cpuMs();
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
