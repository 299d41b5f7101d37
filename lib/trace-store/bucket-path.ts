/** Splits the paths of stores that keep objects in buckets. */
import { isPattern } from '../common/addresses/address.ts';
import { BigtraceError } from '../common/errors.ts';

export interface BucketPath {
  bucket: string;
  /** The name of an object, or a pattern for such names. */
  name: string;
  /** The part of the path before the name: bucket and separator. */
  prefix: string;
}

/**
 * Splits a path into bucket and object name.
 * @param separator the text between bucket and name
 * @param shape the shape of an address of this store, for the error message
 * @throws invalid_address if bucket or name is empty, or if the bucket contains `/` or glob characters
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
