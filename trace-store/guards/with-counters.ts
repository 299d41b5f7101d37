/** Counts what a store is asked and gives. */
import { BigtraceError } from '../../common/errors.ts';
import type { TraceStore } from '../trace-store.ts';

/** All since the start, but for `inFlight`. */
export interface StoreCounters {
  stats: number;
  reads: number;
  lists: number;
  /** Of the three above, those that the store failed or refused: not the cancelled, nor what is not there. */
  failures: number;
  /** Times that the store was asked again. */
  retries: number;
  readBytes: number;
  listedTraces: number;
  /** How many of the three above are going on. */
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
      counters.inFlight++;
      try {
        for await (const chunk of store.read(path, options)) {
          counters.readBytes += chunk.length;
          yield chunk;
        }
      } catch (thrown) {
        throw failed(thrown, options.signal);
      } finally {
        counters.inFlight--;
      }
    },
    async *list(pattern, options = {}) {
      counters.lists++;
      counters.inFlight++;
      try {
        for await (const batch of store.list(pattern, options)) {
          counters.listedTraces += batch.length;
          yield batch;
        }
      } catch (thrown) {
        throw failed(thrown, options.signal);
      } finally {
        counters.inFlight--;
      }
    },
  };
}
