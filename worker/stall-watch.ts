/** Notices that the parser is stuck: some traces of a few bytes keep it busy for ever. */
import { BigtraceError } from '../common/errors.ts';

/** A chunk of 1 MiB that unpacks to gigabytes takes half of this. */
const STALL_MS = 60_000;
/** The end of a trace sorts all of it: a tenth of the slowest parsing seen. */
const BYTES_PER_MS = 1000;

export class StallWatch {
  readonly #onStall: (error: BigtraceError) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onStall: (error: BigtraceError) => void) {
    this.#onStall = onStall;
  }

  /** The parser has work, and has just shown that it gets on; `traceBytes` is what it was given so far. */
  restart(traceBytes: number): void {
    this.stop();
    const ms = stallMs(traceBytes);
    this.#timer = setTimeout(() => this.#onStall(stalled(ms)), ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

export function stallMs(traceBytes: number): number {
  return STALL_MS + Math.floor(traceBytes / BYTES_PER_MS);
}

function stalled(ms: number): BigtraceError {
  return new BigtraceError(
    'deadline_exceeded',
    `TraceProcessor got no further with the trace for ${Math.round(ms / 1000)} s`,
  );
}
