/** Shares snapshots in a bucket. A lifecycle rule of the bucket bounds them. */
import { asBigtraceError } from '../../../lib/common/errors.ts';
import {
  type BucketPlace,
  openUpload,
  type StoreOptions,
  type TraceStores,
  type Upload,
} from '../../../lib/trace-store/index.ts';
import type { SharedStore, WriteOptions } from './shared-store.ts';

export interface ObjectPlace extends BucketPlace {
  /** Beginning of all object names; empty, or ends with `/`. */
  prefix: string;
}

export class ObjectStore implements SharedStore {
  readonly #stores: TraceStores;
  readonly #prefix: string;
  /** Address of an object without its name. */
  readonly #address: string;
  readonly #upload: Upload;

  /** @param stores read the objects, as they read traces: with retries and time limits */
  constructor(place: ObjectPlace, stores: TraceStores, options: StoreOptions) {
    const { store, bucket, prefix } = place;
    this.#stores = stores;
    this.#prefix = prefix;
    this.#address = store === 'gcs' ? `/gcs/${bucket}/o/${prefix}` : `/s3/${bucket}/${prefix}`;
    this.#upload = openUpload(place, options);
  }

  async read(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    const address = this.#address + name;
    try {
      const { generation } = await this.#stores.stat(address, signal);
      return this.#stores.read(address, { generation, signal });
    } catch (thrown) {
      if (asBigtraceError(thrown).code === 'trace_not_found') return undefined;
      throw thrown;
    }
  }

  write(name: string, path: string, options: WriteOptions): Promise<void> {
    return this.#upload.put(this.#prefix + name, path, options);
  }

  close(): void {
    this.#upload.close();
  }
}
