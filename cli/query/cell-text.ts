/** Converts values to plain text without loss. */
import type { CellValue } from '../../lib/query-result/index.ts';

/** Formats a double as the shortest text that parses to the same double; infinities and NaN as in ClickHouse. */
export function doubleText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** Formats a value without quotes; a blob as `\x` and hexadecimal digits. Only the column tells the type. */
export function plainText(value: Exclude<CellValue, null>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return doubleText(value);
  if (typeof value === 'bigint') return String(value);
  return `\\x${Buffer.from(value).toString('hex')}`;
}
