// Original file: bigtrace.proto

export const RunMode = {
  ROWS: 'ROWS',
  /**
   * TraceTypes instead of rows; the rows are remembered for the query that follows
   */
  TYPES: 'TYPES',
} as const;

export type RunModeInput =
  | 'ROWS'
  | 0
  /**
   * TraceTypes instead of rows; the rows are remembered for the query that follows
   */
  | 'TYPES'
  | 1

export type RunMode = typeof RunMode[keyof typeof RunMode]
