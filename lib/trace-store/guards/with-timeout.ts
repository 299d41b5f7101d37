/** Limits the time spent waiting for a store. The time that the reader takes between chunks is not counted. */
import { BigtraceError } from '../../common/errors.ts';
import { interruptible } from '../failures.ts';
import type { TraceStore } from '../trace-store.ts';

/** A read must receive this many bytes within the timeout; otherwise a store that sends single bytes never ends. */
const CHUNK_BYTES_MIN = 64 * 1024;

export function withTimeout(store: TraceStore, timeoutMs: number): TraceStore {
  async function once<Value>(
    signal: AbortSignal | undefined,
    request: (signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    const wait = new Wait(timeoutMs, signal);
    try {
      return await wait.on(request(wait.signal));
    } finally {
      wait.end();
    }
  }
  return {
    ...store,
    stat: (path, outer) => once(outer, (signal) => store.stat(path, signal)),
    canonical: (path, outer) =>
      once(outer, async (signal) => (await store.canonical?.(path, signal)) ?? path),
    read: (path, options) =>
      timed(timeoutMs, options.signal, (signal) => store.read(path, { ...options, signal })),
    list: (pattern, options = {}) =>
      timed(timeoutMs, options.signal, (signal) => store.list(pattern, { ...options, signal })),
  };
}

async function* timed<Item extends { length: number }>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  open: (signal: AbortSignal) => AsyncIterable<Item>,
): AsyncGenerator<Item, void, undefined> {
  const wait = new Wait(timeoutMs, signal);
  const items = open(wait.signal)[Symbol.asyncIterator]();
  let bytes = 0;
  try {
    for (;;) {
      const next = await wait.on(items.next());
      if (next.done) return;
      bytes += next.value instanceof Uint8Array ? next.value.length : CHUNK_BYTES_MIN;
      if (bytes >= CHUNK_BYTES_MIN) {
        bytes = 0;
        wait.startAnew();
      }
      yield next.value;
    }
  } finally {
    wait.end();
    // Not awaited: a store that hangs would block the reader here.
    items.return?.().catch(() => undefined);
  }
}

/** A time budget that only waiting in `on` uses up; `startAnew` refills it. */
class Wait {
  readonly #timeoutMs: number;
  readonly #outer: AbortSignal | undefined;
  readonly #inner = new AbortController();
  #leftMs: number;

  constructor(timeoutMs: number, outer: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs;
    this.#leftMs = timeoutMs;
    this.#outer = outer;
    if (outer?.aborted) this.#passOn();
    else outer?.addEventListener('abort', this.#passOn);
  }

  /** Aborts when the caller's signal aborts or the budget is used up. */
  get signal(): AbortSignal {
    return this.#inner.signal;
  }

  async on<Value>(promise: Promise<Value>): Promise<Value> {
    const since = performance.now();
    const timer = setTimeout(() => this.#inner.abort(this.#timeUp()), this.#leftMs);
    try {
      return await interruptible(promise, this.signal);
    } finally {
      clearTimeout(timer);
      this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - since));
    }
  }

  startAnew(): void {
    this.#leftMs = this.#timeoutMs;
  }

  end(): void {
    this.#outer?.removeEventListener('abort', this.#passOn);
  }

  readonly #passOn = (): void => this.#inner.abort(this.#outer?.reason);

  #timeUp(): BigtraceError {
    return new BigtraceError(
      'store_failed',
      `the store timed out: it sent too little data within ${this.#timeoutMs} ms (--store-timeout)`,
    );
  }
}
