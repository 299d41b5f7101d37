/** Returns file names, each with its statement. */
export function queryViews(options?: {
  format?: 'Native' | 'CustomSeparated';
  /** Prefix for the names of the views. */
  prefix?: string;
}): [name: string, sql: string][];
