/** Names of files, each with its statement. */
export function queryViews(options?: {
  format?: 'Native' | 'CustomSeparated';
  /** In front of the names of views. */
  prefix?: string;
}): [name: string, sql: string][];
