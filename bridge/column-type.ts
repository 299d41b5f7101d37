/** The ClickHouse types that the bridge can fill. */
import { BigtraceError } from '../common/errors.ts';

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
  /** As ClickHouse has it. */
  text: string;
  base: BaseType;
  nullable: boolean;
}

/** @throws invalid_option, naming what is supported. */
export function parseType(text: string, column: string): ColumnType {
  let inner = text.trim();
  let nullable = false;
  for (;;) {
    const match = /^(Nullable|LowCardinality)\s*\((.*)\)$/s.exec(inner);
    if (match === null) break;
    if (match[1] === 'Nullable') nullable = true;
    inner = (match[2] ?? '').trim();
  }
  if (inner === 'BLOB') inner = 'String'; // ClickHouse's own alias (columns.ts)
  if (!isBaseType(inner))
    throw new BigtraceError(
      'invalid_option',
      `column ${column}: type ${text} is not supported; use ${[...BASE_TYPES].join(', ')}, ` +
        'each alone or in Nullable(…), LowCardinality(…)',
    );
  return { text, base: inner, nullable };
}
