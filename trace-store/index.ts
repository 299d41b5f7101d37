/** Where traces are: one interface, one driver a store (docs/stores.md). */
import { localStore } from './local/local-store.ts';
import type { StoreOptions } from './options.ts';
import { TraceStores } from './stores.ts';

export { addStoreOptions, type StoreOptions, storeOptionsOf } from './options.ts';
export { type ListedTrace, TraceStores } from './stores.ts';
export type { ReadOptions, StoredTrace, TraceStat, TraceStore } from './trace-store.ts';

/** @throws invalid_option, where an option cannot be, such as a root that is no directory. */
export function createTraceStores(options: StoreOptions): TraceStores {
  return new TraceStores([
    ...(options.localRoot === undefined ? [] : [localStore({ root: options.localRoot })]),
  ]);
}
