/** SQL of the view bigtrace.traces: the catalog with the columns that users added. */
import { BigtraceError } from '../../lib/common/errors.ts';
import { identifier, literal } from '../../lib/common/text/sql-literal.ts';
import type { ColumnType } from './column-type.ts';

/** Origin of a column: a manifest (`labels`) or the extra SQL (`extra`). */
export type ColumnSource = 'labels' | 'extra';

export interface UserColumn {
  name: string;
  type: ColumnType;
  source: ColumnSource;
}

/** Names of the catalog's own columns (clickhouse/sql/20-trace_catalog.sql). */
const OWN_NAMES = new Set([
  ...['address', 'store', 'size', 'generation', 'modified', 'indexed_at', 'indexed_with'],
  ...['vanished_at', 'error_code', 'error', 'format', 'duration', 'start_time', 'uuid'],
  ...['system_name', 'os_release', 'arch', 'device', 'android_build', 'android_sdk'],
  ...['chrome_version', 'session_name', 'metadata', 'extra', 'labels'],
  ...['verdict', 'error_stats', 'row_counts', 'warnings'],
]);

export function isOwnName(name: string): boolean {
  return OWN_NAMES.has(name);
}

/** @throws invalid_option if the name is empty, or the catalog has a column of that name */
export function checkColumnName(name: string): string {
  if (name === '')
    throw new BigtraceError('invalid_option', 'a column of the manifest has no name');
  if (isOwnName(name))
    throw new BigtraceError(
      'invalid_option',
      `column ${name} already exists in bigtrace.traces; rename it`,
    );
  return name;
}

const LABELS = `
LEFT JOIN (
  SELECT address AS of_address, CAST((groupArray(name), groupArray(value)), 'Map(String, String)') AS labelled
  FROM bigtrace.trace_label_values FINAL GROUP BY address
) AS l ON l.of_address = c.address`;

// The aliases below are unique. Otherwise ClickHouse would rename the catalog's own column to `c.address`.

/** Several scripts may return a column of the same name; the newest value is used. */
const EXTRA = `
LEFT JOIN (
  SELECT address AS asked_address, generation AS asked_generation,
    CAST((groupArray(name), groupArray(value)), 'Map(String, String)') AS answered
  FROM (
    SELECT address, generation, name, argMax(value, asked_at) AS value
    FROM bigtrace.trace_extra FINAL
    ARRAY JOIN mapKeys(extra) AS name, mapValues(extra) AS value
    GROUP BY address, generation, name
  )
  GROUP BY address, generation
) AS x ON x.asked_address = c.address AND x.asked_generation = c.generation`;

/** @param view what is kept of the view that this one replaces; `definer` is an identifier of SQL */
export function tracesViewSql(
  columns: readonly UserColumn[],
  { definer, comment }: { definer: string; comment: string },
): string {
  const has = (source: ColumnSource): boolean => columns.some((column) => column.source === source);
  const own = columns.map((column) => `${expression(column)} AS ${identifier(column.name)}`);
  const select = ['c.* EXCEPT (indexed_with, extra)', ...own].join(',\n  ');
  return `CREATE OR REPLACE VIEW bigtrace.traces
DEFINER = ${definer} SQL SECURITY DEFINER
AS SELECT
  ${select}
FROM (SELECT * FROM bigtrace.trace_catalog FINAL) AS c${has('labels') ? LABELS : ''}${has('extra') ? EXTRA : ''}
SETTINGS join_use_nulls = 0
COMMENT ${literal(comment)}`;
}

/**
 * SQL expression of a user column. A value that does not fit its type is an error, because the view is then older than
 * the value. In a number column an empty text is NULL.
 */
function expression({ name, type, source }: UserColumn): string {
  const map = source === 'labels' ? 'l.labelled' : 'x.answered';
  const there = `mapContains(${map}, ${literal(name)})`;
  const value = `${map}[${literal(name)}]`;
  if (type === 'String') return `if(${there}, ${value}, NULL)`;
  const number = `(${value} != '')`; // a missing key yields ''
  return `if(${number}, to${type}(if(${number}, ${value}, '0')), NULL)`;
}
