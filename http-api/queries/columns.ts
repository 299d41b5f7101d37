/** Columns of ClickHouse as the page sees them: types of the wire, every value a string or null. */
import { identifier } from '../sql/sql-text.ts';
import type { WireColumn, WireType } from '../wire-types.ts';

export interface Column {
  name: string;
  /** ClickHouse's, without Nullable and LowCardinality; BLOB for a String that holds bytes. */
  baseType: string;
  type: WireType;
  /** SQL of its value. */
  value: string;
}

/** @param type ClickHouse's; `value`: where the column is an expression */
export function columnOf(name: string, type: string, value = identifier(name)): Column {
  const baseType = type
    .replace(/^LowCardinality\((.*)\)$/, '$1')
    .replace(/^Nullable\((.*)\)$/, '$1');
  return { name, baseType, type: wireType(baseType), value };
}

function wireType(type: string): WireType {
  if (/^UInt\d/.test(type)) return 'UINT64';
  if (/^Int\d/.test(type)) return 'INT64';
  if (/^(Float|Decimal)/.test(type)) return 'FLOAT64';
  if (type === 'Bool') return 'BOOL';
  if (type === 'BLOB') return 'BYTES';
  if (/^DateTime/.test(type)) return 'TIMESTAMP';
  return /^Date/.test(type) ? 'DATE' : 'STRING';
}

/** SQL of the column's value as the wire has it: a string, or NULL. */
export function wireText({ baseType, type, value }: Column): string {
  if (/^(Map|Array|Tuple|JSON)/.test(baseType)) return `toJSONString(${value})`;
  if (type === 'BYTES') return `base64Encode(${value})`;
  if (type !== 'TIMESTAMP') return `toString(${value})`;
  return `concat(replaceOne(toString(toTimeZone(${value}, 'UTC')), ' ', 'T'), 'Z')`;
}

export function schemaOf(columns: readonly Column[]): WireColumn[] {
  return columns.map(({ name, type }) => ({ name, type }));
}
