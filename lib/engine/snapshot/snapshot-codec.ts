/** The compressions an image file may have. Which one a file has, its header says. */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

export interface Codec {
  name: string;
  /** On another thread: writing an image must not keep a query waiting. */
  compress(bytes: Uint8Array): Promise<Uint8Array>;
  /** At once, which costs half as much: whoever reads an image waits for it. @throws on damage */
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

/** zlib has zstd since Node 22.15; the types are those of Node 20. */
interface Zstd {
  zstdCompress: Compress;
  zstdDecompressSync: Decompress;
  constants: { ZSTD_c_compressionLevel: number };
}

function zstd(): Codec | undefined {
  if (!('zstdCompress' in zlib)) return undefined;
  const { zstdCompress, zstdDecompressSync, constants } = zlib as unknown as Zstd;
  return codec('zstd', zstdCompress, zstdDecompressSync, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
}

/** Level 1 of deflate is what decompresses fastest in Node 20; brotli compresses faster, but reads slower. */
function deflate(): Codec {
  return codec('deflate', zlib.deflateRaw, zlib.inflateRawSync, { level: 1 });
}

function codec(name: string, compress: Compress, decompress: Decompress, options: Options): Codec {
  const promised = promisify(compress);
  return {
    name,
    compress: (bytes) => promised(bytes, options),
    // Room for all of it: in the default pieces of 16 KiB it takes twice as long.
    decompress: (bytes, length) =>
      decompress(bytes, { chunkSize: length + 64, maxOutputLength: length }),
  };
}

/** Those this Node has, the best first. */
export const CODECS: readonly Codec[] = [zstd(), deflate()].filter((each) => each !== undefined);

export function codecNamed(name: string): Codec | undefined {
  return CODECS.find((each) => each.name === name);
}
