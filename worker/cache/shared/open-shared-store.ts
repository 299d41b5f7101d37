/** Opens the store that `--shared-snapshots` names. */
import { isAbsolute } from 'node:path';
import { BigtraceError } from '../../../lib/common/errors.ts';
import type { StoreOptions, TraceStores } from '../../../lib/trace-store/index.ts';
import { DirectoryStore } from './directory-store.ts';
import { ObjectStore } from './object-store.ts';
import type { SharedStore } from './shared-store.ts';

export interface SharedSnapshotOptions {
  /** `/gcs/BUCKET/o/PREFIX`, `/s3/BUCKET/PREFIX`, or the absolute path of a directory. */
  place: string;
  /** Whether this worker shares its own snapshots. */
  writes: boolean;
  /** Maximum size of the files in a directory. */
  bytesMax: number;
}

/** @throws invalid_option if the place is none of these */
export function openSharedStore(
  { place, writes, bytesMax }: SharedSnapshotOptions,
  stores: TraceStores,
  options: StoreOptions,
): SharedStore {
  const object =
    /^\/(?:(?<gcs>gcs)\/(?<gcsBucket>[^/]+)\/o|s3\/(?<s3Bucket>[^/]+))(?:\/(?<path>.*))?$/.exec(
      place,
    );
  if (object === null) {
    if (!isAbsolute(place) || /^\/(gcs|s3)(\/|$)/.test(place)) throw invalidPlace(place);
    return new DirectoryStore({ path: place, bytesMax, writes });
  }
  const { gcs, gcsBucket = '', s3Bucket = '', path = '' } = object.groups ?? {};
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  const bucket = gcs === undefined ? s3Bucket : gcsBucket;
  const store = gcs === undefined ? 's3' : 'gcs';
  return new ObjectStore({ store, bucket, prefix }, stores, options);
}

function invalidPlace(place: string): BigtraceError {
  return new BigtraceError(
    'invalid_option',
    `--shared-snapshots is ${place}; it must be /gcs/BUCKET/o/PREFIX, /s3/BUCKET/PREFIX, or the absolute path of a directory`,
  );
}
