/** Opens the upload to a bucket. */
import { uploadToGcs } from './gcs/upload.ts';
import type { StoreOptions } from './options.ts';
import { uploadToS3 } from './s3/upload.ts';
import type { Upload } from './upload.ts';

export interface BucketPlace {
  store: 'gcs' | 's3';
  bucket: string;
}

/** @throws invalid_option if the options of the store cannot be used */
export function openUpload({ store, bucket }: BucketPlace, options: StoreOptions): Upload {
  return store === 'gcs'
    ? uploadToGcs(bucket, options.gcs ?? {})
    : uploadToS3(bucket, options.s3 ?? {});
}
