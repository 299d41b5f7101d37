/** Paths of stores that keep objects in buckets. */
import { isPattern } from '../common/addresses/address.ts';
import { BigtraceError } from '../common/errors.ts';

export interface BucketPath {
  bucket: string;
  /** Of an object, or a pattern of such. */
  name: string;
  /** What stands before the name in the path. */
  prefix: string;
}

/**
 * @param separator between bucket and name
 * @param shape of an address, for the message
 * @throws invalid_address
 */
export function splitBucket(path: string, separator: string, shape: string): BucketPath {
  const end = path.indexOf(separator);
  const bucket = end < 0 ? '' : path.slice(0, end);
  const name = end < 0 ? '' : path.slice(end + separator.length);
  if (bucket === '' || name === '' || bucket.includes('/'))
    throw new BigtraceError('invalid_address', `an address of this store is ${shape}`);
  if (isPattern(bucket))
    throw new BigtraceError('invalid_address', 'the bucket cannot be a pattern');
  return { bucket, name, prefix: path.slice(0, end + separator.length) };
}
