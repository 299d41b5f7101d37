import type { CellValue } from '../../lib/query-result/index.ts';

/** Encodes rows as bytes to print. The first column is the trace address. */
export interface Format {
  /** Called once, before any rows. */
  begin(columns: string[]): Buffer;
  rows(rows: CellValue[][]): Buffer;
  /** Called once, after all rows. */
  end(): Buffer;
}
