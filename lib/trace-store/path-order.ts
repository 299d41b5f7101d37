/** The order of listings: by the bytes of paths, as in object stores. */
import { bytesFromText } from '../common/text/byte-text.ts';

export function isAfter(path: string, other: string): boolean {
  return Buffer.compare(bytesFromText(path), bytesFromText(other)) > 0;
}
