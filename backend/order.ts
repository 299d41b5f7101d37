/** `field asc|desc`, one or more with commas between, as SQL. */

import { type Column, wireText } from './columns.ts';
import { badRequest } from './http-error.ts';

export interface Order {
  column: Column;
  descending: boolean;
}

/** Names may hold commas and spaces: of what a piece can mean, the longest name that is known counts. */
export function parseOrder(text: string, columns: readonly Column[]): Order[] {
  const pieces = text.split(',');
  const orders: Order[] = [];
  for (let from = 0; from < pieces.length; ) {
    let end = pieces.length;
    let order: Order | undefined;
    for (; end > from && order === undefined; end--)
      order = parseOne(pieces.slice(from, end).join(',').trim(), columns);
    if (order === undefined) {
      const known = columns.map(({ name }) => name).join(', ');
      throw badRequest(
        `order by ${pieces[from]?.trim()}: it must be a column and asc or desc; columns are ${known}`,
      );
    }
    orders.push(order);
    from = end + 1;
  }
  return orders;
}

function parseOne(text: string, columns: readonly Column[]): Order | undefined {
  const directed = /^(.*\S)\s+(asc|desc)$/is.exec(text);
  const known = (name: string | undefined) => columns.find((column) => column.name === name);
  const column = known(directed?.[1]);
  if (column !== undefined) return { column, descending: directed?.[2]?.toLowerCase() === 'desc' };
  const plain = known(text);
  return plain && { column: plain, descending: false };
}

/** NULL is the least, as in SQLite; `last` makes the order total. */
export function orderSql(orders: readonly Order[], last: string): string {
  const keys = orders.map(({ column, descending }) => {
    const value = column.type === 'STRING' ? wireText(column) : column.value;
    return `${value} ${descending ? 'DESC NULLS LAST' : 'ASC NULLS FIRST'}`;
  });
  return [...keys, last].join(', ');
}
