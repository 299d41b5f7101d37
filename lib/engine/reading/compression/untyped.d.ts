/** Types for the parts used here of packages that have no types. */
declare module 'unbzip2-stream/lib/bit_iterator.js' {
  export interface BitReader {
    (bits: number | null): number;
    bytesRead: number;
  }
  export default function bitIterator(nextBuffer: () => Uint8Array): BitReader;
}

declare module 'unbzip2-stream/lib/bzip2.js' {
  import type { BitReader } from 'unbzip2-stream/lib/bit_iterator.js';

  const bzip2: {
    /** Reads the header of a stream. @returns the level, 1 to 9 */
    header(bits: BitReader): number;
    /** Decompresses a block. @returns the checksum so far; null at the end of a stream */
    decompress(
      bits: BitReader,
      take: (byte: number) => void,
      buffer: Int32Array,
      size: number,
      checksum: number,
    ): number | null;
  };
  export default bzip2;
}

declare module 'lz4js' {
  /** Decompresses a block. @returns the offset after the last byte written to `target` */
  export function decompressBlock(
    source: Uint8Array,
    target: Uint8Array,
    from: number,
    length: number,
    to: number,
  ): number;
}
