/** Loads a package with a decoder when the first trace needs it: most need none, and every engine thread would load all. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const loadPako = (): typeof import('pako') => require('pako');

export const loadLz4 = (): typeof import('lz4js') => require('lz4js');

export const loadBzip2 = (): typeof import('unbzip2-stream/lib/bzip2.js').default =>
  require('unbzip2-stream/lib/bzip2.js');

export const loadBitIterator = (): typeof import('unbzip2-stream/lib/bit_iterator.js').default =>
  require('unbzip2-stream/lib/bit_iterator.js');

/** Returns the path of the file of XZ Embedded. */
export const xzFile = (): string => require.resolve('xz-decompress');
