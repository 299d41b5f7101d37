/** The compressions an image file may have. Which one a file has, its header says. */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

export interface Codec {
  name: string;
  compress(bytes: Uint8Array): Promise<Uint8Array>;
  /** @throws when the bytes are damaged or hold more than `lengthMax`. */
  decompress(bytes: Uint8Array, lengthMax: number): Promise<Uint8Array>;
}

type Async = (bytes: Uint8Array, options: Record<string, unknown>) => Promise<Uint8Array>;

/** zlib has zstd since Node 22.15; the types are those of Node 20. */
interface Zstd {
  zstdCompress: (...args: unknown[]) => void;
  zstdDecompress: (...args: unknown[]) => void;
  constants: { ZSTD_c_compressionLevel: number };
}

function zstd(): Codec | undefined {
  if (!('zstdCompress' in zlib)) return undefined;
  const { zstdCompress, zstdDecompress, constants } = zlib as unknown as Zstd;
  const compress = promisify(zstdCompress) as Async;
  const decompress = promisify(zstdDecompress) as Async;
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  return {
    name: 'zstd',
    compress: (bytes) => compress(bytes, { params }),
    decompress: (bytes, maxOutputLength) => decompress(bytes, { maxOutputLength }),
  };
}

/** Level 1 of deflate is what decompresses fastest in Node 20; brotli compresses faster, and reads slower. */
function deflate(): Codec {
  const compress = promisify(zlib.deflateRaw) as Async;
  const decompress = promisify(zlib.inflateRaw) as Async;
  return {
    name: 'deflate',
    compress: (bytes) => compress(bytes, { level: 1 }),
    decompress: (bytes, maxOutputLength) => decompress(bytes, { maxOutputLength }),
  };
}

/** Those this Node has, the best first. */
export const CODECS: readonly Codec[] = [zstd(), deflate()].filter((codec) => codec !== undefined);

export function codecNamed(name: string): Codec | undefined {
  return CODECS.find((codec) => codec.name === name);
}
