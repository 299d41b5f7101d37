/** SQL for a page of rows, with filters, order and columns, and for the total row count. */

import { PAGE_ROWS, type PageRequest } from '../contract/page.ts';
import { badRequest } from '../http-error.ts';
import { type Column, wireText } from '../queries/columns.ts';
import { columnNamed, conditionOf } from './conditions.ts';
import { orderSql, parseOrder } from './order.ts';

export const PAGE_ROWS_MAX = 100_000;

/** What is paged: a table or view with its columns. */
export interface Relation {
  /** Name of the table or view, as SQL. */
  from: string;
  /** SQL condition that restricts the rows; undefined for none. */
  condition?: string;
  columns: readonly Column[];
  /** SQL of a unique column, which makes the order of pages total. */
  key: string;
  /** Whether `key` numbers the rows from 0, and the table is sorted by it. */
  numbered: boolean;
}

export interface Page {
  columns: Column[];
  rowsSql: string;
  countSql: string;
}

/** @throws invalid_option for unknown columns, values that do not fit, or a page above PAGE_ROWS_MAX */
export function pageOf(relation: Relation, request: PageRequest): Page {
  const { order_by = '', filters = [], columns: names = [] } = request;
  const { limit, offset } = window(request);
  if (limit > PAGE_ROWS_MAX)
    throw badRequest(`limit ${limit} must be <= ${PAGE_ROWS_MAX}; fetch the rest with offset`);
  const { from, key, numbered } = relation;
  const columns =
    names.length === 0
      ? [...relation.columns]
      : names.map((name) => columnNamed(name, relation.columns));
  const texts = columns.length === 0 ? 'NULL' : columns.map(wireText).join(', ');
  const filtered = conditionOf(filters, relation.columns);
  const condition = [relation.condition ?? [], filtered].flat().join(' AND ');
  // The page keeps the order of an earlier query, whose columns may be gone.
  const order = orderSql(
    parseOrder(order_by, relation.columns, () => undefined),
    key,
  );
  return {
    columns,
    rowsSql: rowsSql({ from, key, numbered, texts, condition, order, limit, offset }),
    countSql: `SELECT count() FROM ${from} WHERE ${condition}`,
  };
}

/** The rows of a page. As in the backend of the upstream project, a negative number is taken for 0. */
export function window({ limit = PAGE_ROWS, offset = 0 }: Pick<PageRequest, 'limit' | 'offset'>): {
  limit: number;
  offset: number;
} {
  return { limit: Math.max(limit, 0), offset: Math.max(offset, 0) };
}

interface RowsParts extends Pick<Relation, 'from' | 'key' | 'numbered'> {
  texts: string;
  condition: string;
  order: string;
  limit: number;
  offset: number;
}

function rowsSql(parts: RowsParts): string {
  const { from, key, numbered, texts, condition, order, limit, offset } = parts;
  if (!numbered)
    return `SELECT ${texts} FROM ${from} WHERE ${condition} ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`;
  if (condition === 'true' && order === key)
    return `SELECT ${texts} FROM ${from} WHERE ${key} >= ${offset} AND ${key} < ${offset + limit} ORDER BY ${key}`;
  // Sort and filter over the needed columns only; read all columns just for the rows of the page.
  const rowNumbers = `SELECT ${key} FROM ${from} WHERE ${condition} ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`;
  return `SELECT ${texts} FROM ${from} WHERE ${key} IN (${rowNumbers}) ORDER BY ${order}`;
}
