/** Adds pieces whose columns each have one kind of cells and NULLs. Most are so; it is several times as fast. */
import { addKinds } from '../../lib/query-result/cell-kinds.ts';
import { CellType } from '../../lib/query-result/cell-type.ts';
import type { BatchValues } from '../cells/batch-values.ts';
import { COLUMNS_MAX, type Column } from '../cells/cells.ts';
import type { NativeColumn } from './column.ts';
import { Float64Column, Int64Column } from './fixed-columns.ts';
import { StringColumn } from './string-column.ts';

/** Adds the cells of a piece that has not been read. @returns false, without reading it, if it is not uniform */
export function takeUniform(columns: readonly NativeColumn[], values: BatchValues): boolean {
  const width = columns.length;
  if (width === 0 || width > COLUMNS_MAX || values.count % width !== 0) return false;
  const kinds = new Uint8Array(width);
  addKinds(kinds, values.types, 0);
  const integers: Column<Int64Column>[] = [];
  const doubles: Column<Float64Column>[] = [];
  const texts: Column<StringColumn>[] = [];
  for (const [position, target] of columns.entries()) {
    let own: number;
    if (target instanceof Int64Column) {
      own = CellType.VARINT;
      integers.push({ position, target });
    } else if (target instanceof Float64Column) {
      own = CellType.FLOAT64;
      doubles.push({ position, target });
    } else if (target instanceof StringColumn) {
      own = CellType.STRING;
      texts.push({ position, target });
    } else return false;
    const acceptedKinds = (1 << own) | (target.nullable ? 1 << CellType.NULL : 0);
    if (((kinds[position] as number) & ~acceptedKinds) !== 0) return false;
  }
  values.readIntegers(width, integers);
  values.readDoubles(width, doubles);
  values.readTexts(width, texts);
  return true;
}
