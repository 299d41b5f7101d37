/** Columns of ClickHouse as the HTTP API returns them: with its own types, and each value as a string or null. */
import { identifier } from '../../lib/common/text/sql-literal.ts';
import type { WireColumn, WireType } from '../contract/page.ts';

/** Comment of a String column that holds bytes. */
export const BYTES_COMMENT = 'BLOB';

export interface Column {
  name: string;
  /** ClickHouse's type without Nullable and LowCardinality; BLOB for a String column that holds bytes. */
  baseType: string;
  type: WireType;
  /** SQL expression of the column's value. */
  value: string;
}

/** @param type ClickHouse's type @param value SQL expression, if the column is computed */
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

/** SQL expression of the column's value as the API returns it: a string or NULL. */
export function wireText({ baseType, type, value }: Column): string {
  if (/^(Map|Array|Tuple|JSON)/.test(baseType)) return `toJSONString(${value})`;
  if (type === 'BYTES') return `base64Encode(${value})`;
  // As JavaScript and the backend of the upstream project write them; ClickHouse writes inf and nan.
  if (/^Float/.test(baseType))
    return `replaceOne(replaceOne(toString(${value}), 'inf', 'Infinity'), 'nan', 'NaN')`;
  if (type !== 'TIMESTAMP') return `toString(${value})`;
  return `concat(replaceOne(toString(toTimeZone(${value}, 'UTC')), ' ', 'T'), 'Z')`;
}

export function schemaOf(columns: readonly Column[]): WireColumn[] {
  return columns.map(({ name, type }) => ({ name, type }));
}
