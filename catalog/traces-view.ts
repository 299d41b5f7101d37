/** The view bigtrace.traces: the catalog, and the columns that users added to it. */
import { BigtraceError } from '../common/errors.ts';
import { quoted } from './tsv.ts';

export interface UserColumn {
  name: string;
  type: 'Int64' | 'Float64' | 'String';
  /** `labels`: a manifest; `extra`: the extra SQL. */
  source: 'labels' | 'extra';
}

/** Names that the catalog has itself (clickhouse/sql/20-trace_catalog.sql). */
const OWN_NAMES = new Set([
  ...['address', 'store', 'size', 'generation', 'modified', 'indexed_at', 'indexed_with'],
  ...['vanished_at', 'error_code', 'error', 'format', 'duration', 'start_time', 'uuid'],
  ...['system_name', 'os_release', 'arch', 'device', 'android_build', 'android_sdk'],
  ...['chrome_version', 'session_name', 'metadata', 'extra', 'labels'],
]);

/** @throws invalid_option where a column of that name is there already */
export function checkColumnName(name: string): string {
  if (name === '')
    throw new BigtraceError('invalid_option', 'a column of the manifest has no name');
  if (OWN_NAMES.has(name))
    throw new BigtraceError(
      'invalid_option',
      `column ${name} is one of bigtrace.traces already; rename it`,
    );
  return name;
}

export function tracesViewSql(columns: readonly UserColumn[]): string {
  const labelled = columns.some(({ source }) => source === 'labels');
  const own = columns.map((column) => `${expression(column)} AS ${identifier(column.name)}`);
  const select = ['c.* EXCEPT (indexed_with, extra)', ...own].join(',\n  ');
  const labels = labelled
    ? '\nLEFT JOIN (SELECT address, labels FROM bigtrace.trace_labels FINAL) AS l ON l.address = c.address'
    : '';
  return `CREATE OR REPLACE VIEW bigtrace.traces
DEFINER = bigtrace_definer SQL SECURITY DEFINER
AS SELECT
  ${select}
FROM (SELECT * FROM bigtrace.trace_catalog FINAL) AS c${labels}`;
}

/** A value that is not of the column's type is NULL, as one that is missing. */
function expression({ name, type, source }: UserColumn): string {
  const map = source === 'labels' ? 'l.labels' : 'c.extra';
  const value = `${map}[${quoted(name)}]`;
  return type === 'String'
    ? `if(mapContains(${map}, ${quoted(name)}), ${value}, NULL)`
    : `to${type}OrNull(${value})`;
}

function identifier(name: string): string {
  return `\`${name.replace(/[\\`]/g, (char) => `\\${char}`)}\``;
}
