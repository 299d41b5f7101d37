/** Rows that are all alike, of integers and texts: as most are, and several times as quick as cell by cell. */
import { rowsAreAlike } from '../../query-result/alike.ts';
import { CellType } from '../../query-result/cell-type.ts';
import type { BatchValues } from '../batch-values.ts';
import { TEXT_COLUMNS_MAX } from '../cells.ts';
import type { NativeColumn } from './column.ts';
import { Int64Column } from './fixed-columns.ts';
import { StringColumn } from './string-column.ts';

/** Takes a piece that has not been read. @returns whether it could be taken so */
export function takeAlike(columns: readonly NativeColumn[], values: BatchValues): boolean {
  const integers: Int64Column[] = [];
  const texts: StringColumn[] = [];
  for (const [index, column] of columns.entries()) {
    const type = values.types[index];
    if (type === CellType.VARINT && column instanceof Int64Column) integers.push(column);
    else if (type === CellType.STRING && column instanceof StringColumn) texts.push(column);
    else return false;
  }
  if (texts.length > TEXT_COLUMNS_MAX) return false;
  if (!rowsAreAlike(values.types, columns.length)) return false;
  const rows = values.count / columns.length;
  const row = columns[0]?.rows ?? 0;
  values.readIntegers({ targets: integers.map((column) => column.room(rows)), row, rows });
  for (const column of texts) column.expect(rows);
  values.readTexts(texts, rows);
  return true;
}
