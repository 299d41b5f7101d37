/** Counts the requests to a store, their failures, and the bytes and traces that it returns. */
import { BigtraceError } from '../../common/errors.ts';
import type { TraceStore } from '../trace-store.ts';

/** All are totals since the start, except `inFlight`. */
export interface StoreCounters {
  stats: number;
  reads: number;
  lists: number;
  /** Stats, reads and lists that failed, except cancelled ones and `trace_not_found`. */
  failures: number;
  /** Attempts after the first of a request. */
  retries: number;
  readBytes: number;
  listedTraces: number;
  /** Stats, reads and lists that are running now. */
  inFlight: number;
}

export function noCounts(): StoreCounters {
  return {
    stats: 0,
    reads: 0,
    lists: 0,
    failures: 0,
    retries: 0,
    readBytes: 0,
    listedTraces: 0,
    inFlight: 0,
  };
}

export function withCounters(store: TraceStore, counters: StoreCounters): TraceStore {
  const failed = (thrown: unknown, signal: AbortSignal | undefined): unknown => {
    const isMissing = thrown instanceof BigtraceError && thrown.code === 'trace_not_found';
    if (!signal?.aborted && !isMissing) counters.failures++;
    return thrown;
  };
  async function* counted<T>(
    items: AsyncIterable<T>,
    signal: AbortSignal | undefined,
    count: (item: T) => void,
  ): AsyncGenerator<T> {
    counters.inFlight++;
    try {
      for await (const item of items) {
        count(item);
        yield item;
      }
    } catch (thrown) {
      throw failed(thrown, signal);
    } finally {
      counters.inFlight--;
    }
  }
  return {
    ...store,
    async stat(path, signal) {
      counters.stats++;
      counters.inFlight++;
      try {
        return await store.stat(path, signal);
      } catch (thrown) {
        throw failed(thrown, signal);
      } finally {
        counters.inFlight--;
      }
    },
    async *read(path, options) {
      counters.reads++;
      yield* counted(store.read(path, options), options.signal, (chunk) => {
        counters.readBytes += chunk.length;
      });
    },
    async *list(pattern, options = {}) {
      counters.lists++;
      yield* counted(store.list(pattern, options), options.signal, (batch) => {
        counters.listedTraces += batch.length;
      });
    },
  };
}
