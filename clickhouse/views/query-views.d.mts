/** Returns file names, each with its statement. */
export function queryViews(options?: {
  format?: 'Native' | 'CustomSeparated';
  /** Whether ClickHouse executes the bridge, or calls the resident one. */
  bridge?: 'executable' | 'url';
  /** Prefix for the names of the views. */
  prefix?: string;
  /** Database of the views. */
  database?: 'bigtrace' | 'default';
}): [name: string, sql: string][];

/** Returns paths below `clickhouse/`, each with its statement. */
export function generatedSql(format: 'Native' | 'CustomSeparated'): [path: string, sql: string][];
