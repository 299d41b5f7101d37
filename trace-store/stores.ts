/** All the stores of a service behind addresses: every error names the trace it is about. */
import { isPattern, parseAddress } from '../common/address.ts';
import { printable } from '../common/byte-text.ts';
import { asBigtraceError, BigtraceError } from '../common/errors.ts';
import type { StoreCounters } from './guards/with-counters.ts';
import type { ReadOptions, StoredTrace, TraceStat, TraceStore } from './trace-store.ts';

export interface ListedTrace extends TraceStat {
  address: string;
}

export class TraceStores {
  readonly #stores: ReadonlyMap<string, TraceStore>;

  /** By the name of the store; they count on. */
  readonly counters: ReadonlyMap<string, StoreCounters>;

  constructor(
    stores: readonly TraceStore[],
    counters: ReadonlyMap<string, StoreCounters> = new Map(),
  ) {
    this.counters = counters;
    this.#stores = new Map(stores.map((store) => [store.name, store]));
  }

  /** The name and bound of the store of an address; undefined where it has none. @throws invalid_address */
  requestsMax(address: string): { store: string; requestsMax: number } | undefined {
    const { name, requestsMax } = this.#find(address).store;
    return requestsMax === undefined ? undefined : { store: name, requestsMax };
  }

  async stat(address: string, signal?: AbortSignal): Promise<TraceStat> {
    const { store, path } = this.#find(address);
    try {
      return await store.stat(path, signal);
    } catch (thrown) {
      throw ofTrace(thrown, address);
    }
  }

  /** @see TraceStore.read */
  async *read(address: string, options: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
    const { store, path } = this.#find(address);
    try {
      yield* store.read(path, options);
    } catch (thrown) {
      throw ofTrace(thrown, address);
    }
  }

  /**
   * The trace that an address names to the letter (trace_not_found where it is no pattern and there is
   * none), or else all that it matches as a pattern, which may be none.
   */
  async *list(address: string, signal?: AbortSignal): AsyncGenerator<ListedTrace, void, undefined> {
    const { store, path, text } = this.#find(address);
    try {
      const named = await toTheLetter(store, path, isPattern(text), signal);
      if (named !== undefined) yield { address: text, ...named };
      else
        for await (const batch of store.list(path, { signal }))
          for (const trace of batch) yield listed(store, trace);
    } catch (thrown) {
      throw ofTrace(thrown, address);
    }
  }

  close(): void {
    for (const store of this.#stores.values()) store.close?.();
  }

  #find(address: string): { store: TraceStore; path: string; text: string } {
    const parsed = parseAddress(address);
    const store = this.#stores.get(parsed.store);
    if (store !== undefined) return { store, path: parsed.path, text: parsed.text };
    const known = [...this.#stores.keys()].map((name) => `/${name}/`).join(', ');
    throw new BigtraceError(
      'invalid_address',
      `there is no store /${printable(parsed.store)}/; this worker has ${known || 'none'}`,
      { trace: printable(address) },
    );
  }
}

async function toTheLetter(
  store: TraceStore,
  path: string,
  mayBePattern: boolean,
  signal: AbortSignal | undefined,
): Promise<TraceStat | undefined> {
  try {
    return await store.stat(path, signal);
  } catch (thrown) {
    const code = asBigtraceError(thrown).code;
    if (mayBePattern && (code === 'trace_not_found' || code === 'forbidden')) return undefined;
    throw thrown;
  }
}

function listed(store: TraceStore, { path, ...stat }: StoredTrace): ListedTrace {
  return { address: `/${store.name}/${path}`, ...stat };
}

function ofTrace(thrown: unknown, address: string): BigtraceError {
  return asBigtraceError(thrown).ofTrace(printable(address));
}
