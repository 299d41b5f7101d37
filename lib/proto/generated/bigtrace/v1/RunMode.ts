// Original file: bigtrace.proto

export const RunMode = {
  ROWS: 'ROWS',
  /**
   * TaskTypes instead of rows; the rows are cached for the query that follows
   */
  TYPES: 'TYPES',
} as const;

export type RunModeInput =
  | 'ROWS'
  | 0
  /**
   * TaskTypes instead of rows; the rows are cached for the query that follows
   */
  | 'TYPES'
  | 1

export type RunMode = typeof RunMode[keyof typeof RunMode]
