import type { CellValue } from '../../lib/query-result/index.ts';

/** Turns rows into bytes to print; the first column is the trace's address. */
export interface Format {
  /** Once, before any row. */
  begin(columns: string[]): Buffer;
  rows(rows: CellValue[][]): Buffer;
  /** Once, when all rows were given. */
  end(): Buffer;
}
