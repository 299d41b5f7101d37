/** Translates an order such as `field asc|desc`, one or more separated by commas, to SQL. */

import type { BigtraceError } from '../../lib/common/errors.ts';
import { badRequest } from '../http-error.ts';
import { type Column, wireText } from '../queries/columns.ts';

export interface Order {
  column: Column;
  descending: boolean;
}

const ORDER_CHARS_MAX = 65_536;
const ORDER_COLUMNS_MAX = 100;

/**
 * Parses an order. Column names may contain commas and spaces, so the longest known name at each position is taken.
 * @param unknown called with what names no column; by default that is an error
 * @throws invalid_option for an unknown column, or above the bounds
 */
export function parseOrder(
  text: string,
  columns: readonly Column[],
  unknown: (piece: string) => void = (piece) => {
    throw noOrder(piece, columns);
  },
): Order[] {
  if (text.trim() === '') return [];
  if (text.length > ORDER_CHARS_MAX)
    throw badRequest(`order by is ${text.length} characters long, the bound is ${ORDER_CHARS_MAX}`);
  const byName = new Map(columns.map((column) => [column.name.trim(), column]));
  const piecesMax = Math.max(1, ...columns.map(({ name }) => name.split(',').length));
  const pieces = text.split(',');
  const orders: Order[] = [];
  for (let from = 0; from < pieces.length; ) {
    let end = Math.min(from + piecesMax, pieces.length);
    let order: Order | undefined;
    for (; end > from && order === undefined; end--)
      order = parseOne(pieces.slice(from, end).join(',').trim(), byName);
    if (order === undefined) {
      unknown(pieces[from] ?? '');
      from += 1;
      continue;
    }
    if (orders.push(order) > ORDER_COLUMNS_MAX)
      throw badRequest(`order by has more columns than the bound of ${ORDER_COLUMNS_MAX}`);
    from = end + 1;
  }
  return orders;
}

function parseOne(text: string, byName: ReadonlyMap<string, Column>): Order | undefined {
  const lower = text.toLowerCase();
  for (const [word, descending] of [
    ['desc', true],
    ['asc', false],
  ] as const) {
    const name = text.slice(0, -word.length);
    const column = lower.endsWith(word) && /\s$/.test(name) ? byName.get(name.trim()) : undefined;
    if (column !== undefined) return { column, descending };
  }
  const plain = byName.get(text);
  return plain && { column: plain, descending: false };
}

function noOrder(piece: string, columns: readonly Column[]): BigtraceError {
  const names = columns.map(({ name }) => name).join(', ');
  return badRequest(
    `order by ${piece.trim()} must be a column, alone or followed by asc or desc; the columns are ${names}`,
  );
}

/** NULL sorts lowest, as in SQLite. @param last SQL of a unique column, which makes the order total */
export function orderSql(orders: readonly Order[], last: string): string {
  const keys = orders.map(({ column, descending }) => {
    const value = column.type === 'STRING' ? wireText(column) : column.value;
    return `${value} ${descending ? 'DESC NULLS LAST' : 'ASC NULLS FIRST'}`;
  });
  return [...keys, last].join(', ');
}
