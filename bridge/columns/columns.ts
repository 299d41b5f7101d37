/** Matches the columns of a query's result with the columns of the table. */

import { BigtraceError } from '../../lib/common/errors.ts';
import { printable } from '../../lib/common/text/byte-text.ts';
import { CellType } from '../../lib/query-result/cell-type.ts';
import { GUESSED_TYPE } from './column-type.ts';
import { HEARTBEAT_COLUMN, TRACE_COLUMN } from './structure.ts';

/**
 * Returns names for a table's columns: all distinct, none empty, none that the bridge uses itself. Duplicates get `_1`,
 * `_2`, …; an empty name becomes `column_<position>`.
 */
export function distinctNames(names: readonly string[]): string[] {
  const queryNames = new Set(names);
  const usedNames = new Set([HEARTBEAT_COLUMN, TRACE_COLUMN]);
  return names.map((name, index) => {
    const base = name === '' ? `column_${index + 1}` : name;
    let distinct = base;
    for (let n = 1; usedNames.has(distinct) || (distinct !== name && queryNames.has(distinct)); n++)
      distinct = `${base}_${n}`;
    usedNames.add(distinct);
    return distinct;
  });
}

/**
 * Returns the type of a column with these kinds of cells (bits `1 << CellType`). BLOB is ClickHouse's alias of String:
 * the table is the same, but a reader of the structure can tell bytes from text.
 */
export function typeOfKinds(kinds: number): string {
  const has = (type: number): boolean => (kinds & (1 << type)) !== 0;
  if (has(CellType.BLOB)) return 'Nullable(BLOB)';
  if (has(CellType.STRING)) return 'Nullable(String)';
  if (has(CellType.FLOAT64)) return 'Nullable(Float64)';
  return has(CellType.VARINT) ? 'Nullable(Int64)' : GUESSED_TYPE;
}

/**
 * Returns, for each column of the query, its position in the table. Columns match by position, unless the table has the
 * same names in another order.
 * @throws columns_mismatch if the counts differ, or if only some names are the same and one of these has another position
 */
export function matchColumns(query: readonly string[], table: readonly string[]): number[] {
  const names = distinctNames(query);
  const list = (all: readonly string[]): string => printable(all.join(', '));
  if (names.length !== table.length)
    throw new BigtraceError(
      'columns_mismatch',
      `the query has ${names.length} columns (${list(names)}), but the structure has ${table.length} (${list(table)})`,
    );
  const position = new Map(table.map((name, index) => [name, index]));
  const byName = names.map((name) => position.get(name));
  if (byName.every((index) => index !== undefined)) return byName;
  table.forEach((name, index) => {
    const elsewhere = names.indexOf(name);
    if (elsewhere >= 0 && elsewhere !== index)
      throw new BigtraceError(
        'columns_mismatch',
        `column ${printable(name)} is number ${elsewhere + 1} of the query, number ${index + 1} of the structure; ` +
          `give them the same order or the same names (query: ${list(names)}; structure: ${list(table)})`,
      );
  });
  return names.map((_, index) => index);
}
