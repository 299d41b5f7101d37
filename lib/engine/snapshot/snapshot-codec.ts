/** The compression formats of snapshot files. The header of a file names its format. */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

export interface Codec {
  name: string;
  /** Compresses on another thread, so that writing a snapshot does not delay a query. */
  compress(bytes: Uint8Array): Promise<Uint8Array>;
  /** Decompresses synchronously, at half the cost, because the caller must wait anyway. @throws on damaged data */
  decompress(bytes: Uint8Array, length: number): Uint8Array;
}

interface Options {
  level?: number;
  params?: Record<number, number>;
  chunkSize?: number;
  maxOutputLength?: number;
}

type Compress = (
  bytes: Uint8Array,
  options: Options,
  done: (error: Error | null, result: Uint8Array) => void,
) => void;
type Decompress = (bytes: Uint8Array, options: Options) => Uint8Array;

/** zlib supports zstd since Node 22.15; the types are those of Node 20, which lack it. */
declare module 'zlib' {
  const zstdCompress: Compress | undefined;
  const zstdDecompressSync: Decompress | undefined;
  namespace constants {
    const ZSTD_c_compressionLevel: number;
  }
}

function zstd(): Codec | undefined {
  const { zstdCompress, zstdDecompressSync, constants } = zlib;
  if (zstdCompress === undefined || zstdDecompressSync === undefined) return undefined;
  return codec('zstd', zstdCompress, zstdDecompressSync, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
}

/** Deflate at level 1 decompresses fastest in Node 20; brotli compresses faster but decompresses more slowly. */
function deflate(): Codec {
  return codec('deflate', zlib.deflateRaw, zlib.inflateRawSync, { level: 1 });
}

function codec(name: string, compress: Compress, decompress: Decompress, options: Options): Codec {
  const promised = promisify(compress);
  return {
    name,
    compress: (bytes) => promised(bytes, options),
    // One chunk holds the whole output: with the default chunks of 16 KiB it takes twice as long.
    decompress: (bytes, length) =>
      decompress(bytes, { chunkSize: length + 64, maxOutputLength: length }),
  };
}

/** The codecs that this version of Node supports, best first. */
export const CODECS: readonly Codec[] = [zstd(), deflate()].filter((each) => each !== undefined);

export function codecNamed(name: string): Codec | undefined {
  return CODECS.find((each) => each.name === name);
}
