/** Converts values to plain text without loss. */
import { doubleText } from '../../lib/common/text/double-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';

/** Formats a value without quotes; a blob as `\x` and hexadecimal digits. Only the column tells the type. */
export function plainText(value: Exclude<CellValue, null>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return doubleText(value);
  if (typeof value === 'bigint') return String(value);
  return `\\x${Buffer.from(value).toString('hex')}`;
}
