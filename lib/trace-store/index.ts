/** Access to traces in all stores: one interface, and one driver for each store (docs/stores.md). */
import { gcsStore } from './gcs/gcs-store.ts';
import { guarded } from './guards/guarded.ts';
import { noCounts, type StoreCounters, withCounters } from './guards/with-counters.ts';
import { httpStore } from './http/http-store.ts';
import { localStore } from './local/local-store.ts';
import { REQUEST_DEFAULTS, type StoreOptions } from './options.ts';
import { s3Store } from './s3/s3-store.ts';
import { TraceStores } from './stores.ts';
import type { TraceStore } from './trace-store.ts';

export type { StoreCounters } from './guards/with-counters.ts';
export { type BucketPlace, openUpload } from './open-upload.ts';
export { addStoreOptions, type StoreOptions, storeOptionsOf } from './options.ts';
export { type ListedTrace, TraceStores } from './stores.ts';
export type {
  ListOptions,
  ReadOptions,
  StoredTrace,
  TraceStat,
  TraceStore,
} from './trace-store.ts';
export type { Upload } from './upload.ts';

/**
 * Creates the configured stores.
 * @param unpackedBytesMax bound of the bytes that are decompressed to reach a member of a compressed tar file
 * @param fileThread URL of the bundle of local/file-thread.ts, with which small files are read at lower cost
 * @throws invalid_option if an option is invalid, such as a root that is not a directory
 */
export function createTraceStores(
  options: StoreOptions,
  unpackedBytesMax?: number,
  fileThread?: URL,
): TraceStores {
  const { localRoot, gcs, s3, http, requests = REQUEST_DEFAULTS } = options;
  const counters = new Map<string, StoreCounters>();
  const counted = (store: TraceStore, guard: typeof guarded | undefined): TraceStore => {
    const counts = noCounts();
    counters.set(store.name, counts);
    return withCounters(guard === undefined ? store : guard(store, requests, counts), counts);
  };
  const stores = [
    ...(localRoot === undefined
      ? []
      : [counted(localStore({ root: localRoot, fileThread }), undefined)]),
    ...(gcs === undefined ? [] : [counted(gcsStore(gcs), guarded)]),
    ...(s3 === undefined ? [] : [counted(s3Store(s3), guarded)]),
    ...(http === undefined
      ? []
      : [counted(httpStore('http', http), guarded), counted(httpStore('https', http), guarded)]),
  ];
  return new TraceStores(stores, counters, unpackedBytesMax);
}
