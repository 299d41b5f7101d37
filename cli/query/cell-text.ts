/** Values as plain text, each bit kept. */
import type { CellValue } from '../../lib/query-result/index.ts';

/** Doubles as the shortest text that reads back as the same double; inf and nan as ClickHouse has them. */
export function doubleText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** What is no text is told apart by its column; a blob is `\\x` and hex. */
export function plainText(value: Exclude<CellValue, null>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return doubleText(value);
  if (typeof value === 'bigint') return String(value);
  return `\\x${Buffer.from(value).toString('hex')}`;
}
