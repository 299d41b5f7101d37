/** Parses a Range header with one byte range (RFC 9110, 14.2). */

export interface ByteRange {
  /** Offset of the first byte. */
  from: number;
  to: number;
}

/**
 * @returns undefined if the header is missing, malformed or has several ranges: the whole is sent; 'unsatisfiable' if
 * the range lies outside
 */
export function byteRange(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { from: size - length, to: size };
  }
  const from = Number(first);
  if (last !== '' && Number(last) < from) return undefined;
  if (from >= size) return 'unsatisfiable';
  return { from, to: last === '' ? size : Math.min(Number(last) + 1, size) };
}
