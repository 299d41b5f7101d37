/**
 * Translates the page's filters to SQL. They are combined with AND, and compare by the type of their column. A value that
 * is not of this type is compared with the text of the column, as the backend of the upstream project does.
 */

import { literal } from '../../lib/common/text/sql-literal.ts';
import type { Filter } from '../contract/page.ts';
import { badRequest } from '../http-error.ts';
import { type Column, wireText } from '../queries/columns.ts';
import { globRegex } from './glob.ts';

const FILTERS_MAX = 100;
/** Bound on the values of all filters together. Each becomes a part of the statement. */
const VALUES_MAX = 5000;
const VALUE_CHARS_MAX = 65_536;
const GLOB_CHARS_MAX = 4096;

/**
 * Returns a SQL condition that holds for rows that pass all filters.
 * @throws invalid_option naming field and value, or the bound
 */
export function conditionOf(filters: readonly Filter[], columns: readonly Column[]): string {
  checkBounds(filters);
  const all = filters.map((filter) => `(${one(filter, columnNamed(filter.field, columns))})`);
  return all.length === 0 ? 'true' : all.join(' AND ');
}

function checkBounds(filters: readonly Filter[]): void {
  if (filters.length > FILTERS_MAX)
    throw badRequest(`there are ${filters.length} filters, the bound is ${FILTERS_MAX}`);
  let count = 0;
  for (const { field, op, value } of filters) {
    const values = listOf(value);
    const max = op.endsWith('glob') ? GLOB_CHARS_MAX : VALUE_CHARS_MAX;
    const longest = values.reduce((most, one) => Math.max(most, one?.length ?? 0), 0);
    if (longest > max)
      throw badRequest(
        `filter on ${field}: a value is ${longest} characters long, the bound is ${max}`,
      );
    count += values.length;
  }
  if (count > VALUES_MAX)
    throw badRequest(`filters have ${count} values, the bound is ${VALUES_MAX}`);
}

/** @throws invalid_option listing the existing columns */
export function columnNamed(name: string, columns: readonly Column[]): Column {
  const column = columns.find((one) => one.name === name);
  if (column !== undefined) return column;
  const names = columns.map((one) => one.name).join(', ');
  throw badRequest(`there is no column ${name}; the columns are ${names}`);
}

function one({ field, op, value }: Filter, column: Column): string {
  switch (op) {
    case 'is null':
      return `isNull(${column.value})`;
    case 'is not null':
      return `isNotNull(${column.value})`;
    case 'in':
    case 'not in':
      return inList(listOf(value), column, op === 'not in');
    default:
  }
  if (Array.isArray(value))
    throw badRequest(`filter on ${field}: ${op} takes one value, not a list`);
  if (value === undefined || value === null) {
    if (op === '=') return `isNull(${column.value})`;
    if (op === '!=') return `isNotNull(${column.value})`;
    throw badRequest(`filter on ${field}: ${op} needs a value`);
  }
  if (op === 'glob') return `match(${wireText(column)}, ${literal(globRegex(value))})`;
  if (op === 'not glob') return `NOT match(${wireText(column)}, ${literal(globRegex(value))})`;
  return comparison(column, op, value);
}

function listOf(value: Filter['value']): (string | null)[] {
  if (Array.isArray(value)) return value;
  return value === undefined ? [] : [value];
}

/**
 * SQL for `in` and `not in`. NULL matches only a list that contains null; for other lists a row with NULL passes
 * neither.
 */
function inList(values: (string | null)[], column: Column, not: boolean): string {
  const texts = values.filter((value) => value !== null);
  const hasNull = texts.length < values.length;
  // One comparison for each value: IN would cast the values to the column's type first.
  const equal = texts.map((value) => comparison(column, '=', value));
  if (hasNull) equal.push(`isNull(${column.value})`);
  if (equal.length === 0) return not ? 'true' : 'false';
  return not ? `NOT (${equal.join(' OR ')})` : equal.join(' OR ');
}

function comparison(column: Column, op: string, text: string): string {
  const value = typedLiteral(text, column);
  return value === undefined
    ? `${wireText(column)} ${op} ${literal(text)}`
    : `${column.value} ${op} ${value}`;
}

/** Returns the value as SQL of the column's type; undefined if it is not of this type, or the type is text. */
function typedLiteral(text: string, { type }: Column): string | undefined {
  switch (type) {
    case 'STRING':
      return undefined;
    case 'BYTES':
      if (Buffer.from(text, 'base64').toString('base64') !== text) return undefined;
      return `base64Decode(${literal(text)})`;
    case 'BOOL':
      if (/^(true|1)$/i.test(text)) return 'true';
      return /^(false|0)$/i.test(text) ? 'false' : undefined;
    case 'DATE':
      return isDay(text) ? `toDate32(${literal(text)})` : undefined;
    case 'TIMESTAMP':
      if (!isDay(text.slice(0, 10)) || Number.isNaN(Date.parse(text))) return undefined;
      return `parseDateTime64BestEffortOrNull(${literal(text)}, 9, 'UTC')`;
    default:
      if (/^[+-]?\d+$/.test(text)) return exactInteger(text);
      return FLOAT.test(text) ? `toFloat64(${literal(text)})` : undefined;
  }
}

const FLOAT = /^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|(inf|nan)(inity)?)$/i;

/** Whether the text is YYYY-MM-DD and names a day that exists. */
function isDay(text: string): boolean {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined;
  return day !== undefined && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** Integers beyond 64 bits are compared as floats explicitly, because ClickHouse would convert them implicitly. */
function exactInteger(text: string): string {
  const value = BigInt(text.replace(/^\+/, ''));
  return value >= -(2n ** 63n) && value < 2n ** 64n ? String(value) : `toFloat64(${literal(text)})`;
}
