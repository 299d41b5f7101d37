/** The ClickHouse types that the bridge can write, and their parser. */
import { BigtraceError } from '../../lib/common/errors.ts';
import { TYPE_ALIASES } from './type-aliases.ts';

export type BaseType =
  | 'Int8'
  | 'Int16'
  | 'Int32'
  | 'Int64'
  | 'UInt8'
  | 'UInt16'
  | 'UInt32'
  | 'UInt64'
  | 'Float32'
  | 'Float64'
  | 'Bool'
  | 'String';

const BASE_TYPES: ReadonlySet<string> = new Set<BaseType>([
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'UInt8',
  'UInt16',
  'UInt32',
  'UInt64',
  'Float32',
  'Float64',
  'Bool',
  'String',
]);

function isBaseType(text: string): text is BaseType {
  return BASE_TYPES.has(text);
}

export interface ColumnType {
  /** The type as written in the structure. */
  text: string;
  base: BaseType;
  nullable: boolean;
}

/** Type of a column whose values are unknown: every aggregate function accepts it, and a table can store it. */
export const GUESSED_TYPE = 'Nullable(BIGINT)';

/** Parses a type of a structure. @throws invalid_option, which lists the supported types */
export function parseType(text: string, column: string): ColumnType {
  // NULL or NOT NULL may follow a type, as in CREATE TABLE.
  const [, type = text, suffix] = /^(.*?\S)\s+((?:NOT\s+)?NULL)$/is.exec(text.trim()) ?? [];
  let inner = type.trim();
  let nullable = suffix?.toUpperCase() === 'NULL';
  for (;;) {
    const match = /^(Nullable|LowCardinality)\s*\((.*)\)$/s.exec(inner);
    if (match === null) break;
    if (match[1] === 'Nullable') nullable = true;
    inner = (match[2] ?? '').trim();
  }
  const base = canonical(inner);
  if (!isBaseType(base))
    throw new BigtraceError(
      'invalid_option',
      `column ${column}: type ${text} is not supported; use ${[...BASE_TYPES].join(', ')} or ` +
        'another name that ClickHouse has for one of them, each alone or in Nullable(…), LowCardinality(…)',
    );
  return { text, base, nullable };
}

/** Resolves an alias. ClickHouse ignores the numbers in VARCHAR(255), INT(11) UNSIGNED and FLOAT(12, 3). */
function canonical(type: string): string {
  const [open, close] = [type.indexOf('('), type.lastIndexOf(')')];
  const words = open < 0 ? type : `${type.slice(0, open)} ${type.slice(close + 1)}`;
  const name = words.trim().replace(/\s+/g, ' ');
  return TYPE_ALIASES.get(name.toUpperCase()) ?? name;
}
